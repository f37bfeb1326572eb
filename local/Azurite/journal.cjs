// Azurite keeps its tables (lokijs) in memory and saves them whole every five seconds: what it has promised since the last time is gone
// with a kill -9. Here each change is written to a journal before its request is answered, and read back at the next start. The tables are
// saved when the journal has grown as large as they are, and at the end: an idle Azurite saves nothing.
'use strict';

const fs = require('fs');
const path = require('path');

const least = 1 << 20; // bytes of a journal before it is worth saving the tables

/** The changes of one database since it was last saved: files beside it, NAME.journal.N, a line of JSON each change. */
class Journal {
  constructor(database) {
    this.database = database;
    this.segments = Journal.of(database);
    this.number = Math.max(0, ...this.segments.map(numberOf));
    this.limit = least;
    this.saving = false;
    this.turn();
  }

  /** What was left by the process before, oldest first. */
  static of(database) {
    const folder = path.dirname(database), name = `${path.basename(database)}.journal.`;
    return fs.readdirSync(folder).filter(file => file.startsWith(name)).map(file => path.join(folder, file))
      .sort((a, b) => numberOf(a) - numberOf(b));
  }

  /** A new file for what comes from now on. @returns those before it. */
  turn() {
    const before = this.segments;
    const file = `${this.database}.journal.${++this.number}`;
    const opened = fs.openSync(file, 'a');
    if (this.opened !== undefined) fs.closeSync(this.opened);
    Object.assign(this, { opened, bytes: 0, segments: [...before, file] });
    return before;
  }

  /** The system has it then: it outlives this process. */
  add(change) {
    const line = Buffer.from(JSON.stringify(change) + '\n');
    try {
      for (let at = 0; at < line.length;) at += fs.writeSync(this.opened, line, at);
      this.bytes += line.length;
    } catch (error) {
      fs.ftruncateSync(this.opened, this.bytes); // a full disk takes half a line, which would hide all that follow
      throw error;
    }
  }

  forget(segments) {
    for (const file of segments) fs.rmSync(file, { force: true });
    this.segments = this.segments.filter(file => !segments.includes(file));
  }
}

const numberOf = segment => Number(segment.slice(segment.lastIndexOf('.') + 1));

/** Makes a saved database what it was after the changes. A change may be in it already. */
function replay(saved, segments) {
  const tables = new Map(saved.collections.map(table => [table.name, { table, rows: new Map(table.data.map(row => [row.$loki, row])) }]));
  for (const segment of segments) {
    for (const line of fs.readFileSync(segment, 'utf8').split('\n').slice(0, -1)) { // what follows the last \n was torn, and never promised
      const { table, row, gone } = JSON.parse(line);
      const { rows } = tables.get(table);
      if (row) rows.set(row.$loki, row);
      for (const id of gone ?? []) rows.delete(id);
    }
  }
  for (const { table, rows } of tables.values()) {
    table.data = [...rows.values()];
    table.maxId = table.data.reduce((most, row) => Math.max(most, row.$loki), table.maxId ?? 0);
  }
  return saved;
}

/** @param Loki the class that Azurite uses. */
exports.install = Loki => {
  const journals = new Map(), owners = new WeakMap(); // by the database's file; a table's database

  const journalOf = database => {
    if (!journals.has(database)) journals.set(database, new Journal(database));
    return journals.get(database);
  };

  const changed = (table, change) => {
    const database = owners.get(table);
    if (!database) return; // a copy that is being made
    const journal = journalOf(database.filename);
    journal.add({ table: table.name, ...change });
    if (journal.bytes < journal.limit || journal.saving) return;
    journal.saving = true;
    database.saveDatabase(error => {
      journal.saving = false;
      if (error) console.error(`Azurite's tables cannot be saved; its journal ${journal.database}.journal.* grows: ${error}`);
    });
  };

  patch(Loki.prototype, 'addCollection', (original, database, ...given) => {
    const table = original(...given);
    if (table) owners.set(table, database);
    return table;
  });

  patch(Loki.prototype, 'loadJSONObject', (original, database, ...given) => {
    original(...given);
    for (const table of database.collections) {
      table.ensureAllIndexes(true); // they were saved with the rows as they stood then
      owners.set(table, database);
    }
  });

  Loki.prototype.autosaveEnable = () => {};

  const files = Loki.LokiFsAdapter.prototype;
  patch(files, 'loadDatabase', (original, _, database, callback) => original(database, saved => {
    if (typeof saved !== 'string') return callback(saved);
    let whole;
    try {
      whole = replay(JSON.parse(saved), Journal.of(database));
    } catch (error) {
      return callback(error);
    }
    callback(whole);
  }));

  // Called with the tables as they are at this very moment.
  files.saveDatabase = (database, tables, callback) => {
    const journal = journalOf(database), temporary = `${database}~`;
    const saved = journal.turn();
    fs.writeFile(temporary, tables, { flush: true }, error => {
      if (error) return callback(error);
      fs.rename(temporary, database, failed => {
        if (!failed) {
          journal.forget(saved);
          journal.limit = Math.max(least, tables.length);
        }
        callback(failed);
      });
    });
  };

  const rows = Loki.Collection.prototype;
  patch(rows, 'insertOne', (original, table, ...given) => {
    const row = original(...given);
    if (row) changed(table, { row });
    return row;
  });

  patch(rows, 'update', (original, table, given) => {
    const row = original(given);
    if (row && !Array.isArray(given)) changed(table, { row }); // of many, each comes here by itself
    return row;
  });

  patch(rows, 'remove', (original, table, given) => {
    const gone = Array.isArray(given) ? [] : [typeof given === 'number' ? given : given.$loki]; // many go by their places
    const removed = original(given);
    if (gone.length > 0) changed(table, { gone });
    return removed;
  });

  patch(rows, 'removeBatchByPositions', (original, table, places) => {
    const gone = places.map(place => table.data[place].$loki);
    const removed = original(places);
    if (gone.length > 0) changed(table, { gone });
    return removed;
  });
};

/** @param by gets the original, bound, then what it is called on, then what it is called with. */
function patch(owner, name, by) {
  const original = owner[name];
  owner[name] = function (...given) {
    return by((...passed) => original.apply(this, passed), this, ...given);
  };
}
