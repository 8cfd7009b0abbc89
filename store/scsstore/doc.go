// Package scsstore keeps sessions in any store of alexedwards/scs: whatever
// implements [scs.Store] or [scs.CtxStore]. scs lists more than a dozen of them, for
// as many databases.
//
//	sessions := session.New(scsstore.New(mysqlstore.New(db), scsstore.Options{}), session.Options{})
//
// It is for one process. An scs store can read and overwrite, but not compare and
// swap, and compare-and-swap is what Satchel's promises rest on. The adapter does
// it in the process: a Swap reads, compares and writes while it holds a lock on
// its id. Other processes know nothing of that lock.
//
// # What is promised
//
// One process means: one [Store] over the scs store, at any time. A deployment that
// starts the new process before it stops the old one runs several meanwhile, and so
// do two calls of [New] over one scs store.
//
//	                          one process   several processes
//	P1  no lost update        kept          broken: of two commits to a session at once, the later write
//	                                        replaces the earlier one, with all it changed, and both visitors
//	                                        were told that theirs is saved
//	P2  final logout          kept          broken: a commit that was under way elsewhere overwrites the logout,
//	                                        and the old cookie is signed in again, until the session expires
//	P3  renewal loses nothing kept          broken: a commit that was under way elsewhere keeps the old id alive
//	                                        beside the new one, and what it changed is missing in the new one
//	P4  flash at most once    kept          broken: two pages can show the same message, and one that was taken
//	                                        can come back
//	P12 a user's sessions     not offered   not offered
//
// Several processes go wrong only when two of them are between the read and the
// write of the same session at the same moment, a round trip or so. That is rare
// by chance, and easy to bring about for whoever wants to. A logout that can be
// undone is no logout; for several processes use
// [github.com/gosatchel/satchel/store/redisstore], or another store with a swap of
// its own.
//
// # What else is weaker, in one process too
//
//   - P12: the adapter is no [store.Indexer], since an scs store can't list an owner's
//     records. Sessions and Revoke return session.ErrNoIndex; Options.MaxPerUser is refused.
//   - P9: Swap and Touch are two round trips, a read and a write. A request that changes
//     something costs three.
//   - An answer that was lost: where the scs store returns an error for a write which
//     it carries out later nevertheless, that write can land on top of what came after.
//     The adapter can't prevent that; a store with a swap refuses such a write.
//   - Time: records expire by this process's clock, which the record's end is kept in,
//     or by the scs store's, whichever says so first. What an scs store rounds, it rounds
//     here too. No record lives for more than a hundred years.
//   - A record whose time ends while a Swap or a Touch of it is being written lives on.
//
// # Time-outs
//
// A call returns when its context is done, whatever the scs store does. A plain
// [scs.Store] can't be interrupted, so that its work goes on behind the caller's back;
// a write is never interrupted, also where it could be, since a database may still
// carry out what its client gave up. Until that write has returned, no other write to
// its id begins: the next one waits, up to its own deadline. The error of a call that
// was left so wraps [store.ErrNotApplied] only if its write had not begun.
//
// How much can be under way, with and without a caller, is bounded; see [Options].
//
// # What is kept where
//
// A record's token in the scs store is 43 letters, digits, hyphens and underscores
// made from the id by SHA-256, so that it fits every column that scs's own tokens fit.
// The value is four bytes that mark it, the version, the end of the record's life in
// nanoseconds since 1970, and the data: 28 bytes more than the data. Other values are
// [store.ErrDamaged], and are never overwritten. An scs.SessionManager may share the
// scs store, and won't meet these tokens, unless it iterates over all.
//
// The scs store removes what has expired; it remains the app's to configure and to
// close.
package scsstore
