// Package sqlstore keeps sessions in PostgreSQL or SQLite, over database/sql and
// whatever driver the app has.
//
//	db, err := sql.Open("pgx", address)
//	...
//	db.SetMaxOpenConns(32)
//	db.SetMaxIdleConns(32)
//	kept := sqlstore.New(db, sqlstore.PostgreSQL, sqlstore.Options{})
//	err = kept.CreateTables(ctx) // or put kept.Schema() among your migrations
//	...
//	go kept.CleanUpEvery(ctx, time.Minute, func(_ int64, err error) {
//		if err != nil {
//			log.Print(err)
//		}
//	})
//	sessions := session.New(kept, session.Options{})
//
// It makes all of Satchel's promises, for any number of processes, and lists a user's
// sessions. It is a module of its own without a driver; it is tested with jackc/pgx on
// PostgreSQL 15 and with modernc.org/sqlite.
//
// # What is kept where
//
// One table has the records, by id, with version, data and the time they end; another
// one has the owners' entries. [Store.Schema] shows both. All names, versions and data
// are bytes, not text. Time is the database's: the clocks of the processes don't
// matter. An expired record is never returned, and stays until [Store.CleanUp].
//
// Ids, and owner and id together, are the tables' primary keys: PostgreSQL takes some
// 2,500 bytes. Satchel's own are shorter than a hundred.
//
// # Round trips
//
// Each method is one statement, committed by itself. Any isolation level of PostgreSQL's
// will do; with stricter ones than read committed, the default, PostgreSQL refuses the
// later of two Swaps at once, and it is sent again. On PostgreSQL a statement is one
// round trip, with these exceptions: a Swap that waited for another one to commit,
// and lost, takes a second one to see what that has written; an Owned that finds entries
// to remove takes a second one for it; and a driver that prepares statements, as pgx
// does, takes one more for the first use of each on a connection. On SQLite a conflict
// is read with a second statement.
//
// # SQLite
//
// It needs 3.42 or newer. One connection writes at a time; the others are told that the
// database is busy, and this store tries again until the caller's deadline. Open the
// database with journal_mode WAL, so that readers don't wait, and leave busy_timeout
// at 0 or short: while SQLite itself waits, it keeps to no deadline. With a driver whose
// errors have no method Code() int, such as mattn/go-sqlite3, this store can't tell that
// the database is busy, so only busy_timeout bounds the wait.
//
// A database in memory (":memory:") is another one for each connection. Use a file, or
// memstore, which is made for that.
//
// # Errors
//
// They name the operation and the kind of failure, and never an id, data, or an
// address. The driver's own error, which may, is what they wrap. After a write,
// [store.ErrNotApplied] is wrapped where no statement was sent, or where the database's
// answer leaves no doubt. A connection that turns out to be dead before a statement was
// sent is replaced, where the driver says so with driver.ErrBadConn. As some, such as
// lib/pq, say that also of connections that broke later, what the repeated statement
// meets may be the work of the first, and is taken for it. Nothing else is repeated.
package sqlstore
