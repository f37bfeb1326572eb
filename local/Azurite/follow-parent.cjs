// Loaded into Azurite before itself (node --require). Azurite lives exactly as long as the host that holds the other end of its stdin:
// the pipe closes however the host ends, also by kill -9, and Azurite then saves its files and stops.
'use strict';

process.stdin.on('end', () => process.kill(process.pid, 'SIGTERM'));
process.stdin.on('error', () => process.kill(process.pid, 'SIGTERM'));
process.stdin.resume();
process.stdin.unref(); // it must not keep a closed server alive

// Ctrl-C reaches the whole process group. The host stops the worker first, which still writes its checkpoint; only then it stops Azurite.
const on = process.on.bind(process);
on('SIGINT', () => {});
for (const method of ['on', 'once', 'addListener']) {
  const original = process[method].bind(process);
  process[method] = (event, listener) => (event === 'SIGINT' ? process : original(event, listener));
}

// Azurite's tables (lokijs) are saved every five seconds in the background. Its close() saves them only if they changed since the last save BEGAN and does
// not wait for one that is under way: the process then ends before that one is on disk, and blobs written in the last seconds are gone. So: always save, and wait.
const path = require('path');
const Loki = require(require.resolve('lokijs', { paths: [path.dirname(process.argv[1])] }));
const close = Loki.prototype.close;
Loki.prototype.close = function (callback) {
  this.autosaveDisable();
  this.saveDatabase(error => (error ? callback(error) : close.call(this, callback)));
};
