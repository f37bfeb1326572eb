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

// The telemetry that --disableTelemetry turns off is loaded all the same, for two thirds of the time that Azurite needs to start.
const Module = require('module');
const load = Module._load;
Module._load = (request, ...given) => (request === 'applicationinsights' ? {} : load(request, ...given));

// Azurite's close() saves its tables only if they changed since the last save BEGAN and does not wait for one that is under way. So: always
// save, and wait; the next start then has no journal to read.
const path = require('path');
const Loki = require(require.resolve('lokijs', { paths: [path.dirname(process.argv[1])] }));
require('./journal.cjs').install(Loki);
const close = Loki.prototype.close;
Loki.prototype.close = function (callback) {
  this.saveDatabase(error => (error ? callback(error) : close.call(this, callback)));
};
