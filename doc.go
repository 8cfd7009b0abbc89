// Package satchel is the overview of Satchel: sessions and flash messages for
// net/http that survive concurrent requests. It has no code; its parts are
//
//   - [github.com/gosatchel/satchel/session]: the middleware, typed values,
//     sign-in and sign-out
//   - [github.com/gosatchel/satchel/session/sessiontest]: testing handlers
//   - [github.com/gosatchel/satchel/session/fromscs], and session/fromgorilla in a module
//     of its own: moving from scs and gorilla/sessions without signing anybody out
//   - [github.com/gosatchel/satchel/flash]: messages for the next page
//   - [github.com/gosatchel/satchel/store]: the contract of stores, with
//     [github.com/gosatchel/satchel/store/memstore] in memory,
//     [github.com/gosatchel/satchel/store/redisstore] in Redis or Valkey, sqlstore
//     in PostgreSQL or SQLite (a module of its own),
//     [github.com/gosatchel/satchel/store/scsstore] in any store of scs, with
//     weaker guarantees, and [github.com/gosatchel/satchel/store/storetest] for those
//     who write one
//
// # What a session is
//
// The browser holds an opaque id in a cookie, the server holds the data: in
// memory by default, in Redis where there is more than one process or a restart
// must lose nothing. A key has a name and a type:
//
//	var cart = session.NewKey[Cart]("cart")
//
//	sessions := session.New(memstore.New(), session.Options{})
//	http.ListenAndServe(addr, sessions.Handler(mux))
//
// In any handler behind it, with ctx := r.Context(),
//
//	cart.Update(ctx, func(c *Cart) { c.Add("lime", 1) })
//	flash.Success(ctx, "A lime is in your cart.")
//	user := session.UserID(ctx)
//
// # What it promises
//
// These hold on every store that ships, but for what package scsstore says of
// itself, and each has tests of its name (TestP1_ to
// TestP12_) that force the interleaving.
//
//   - P1, no lost update. Concurrent requests of one session, in one process or
//     many, don't overwrite each other: changes of different keys merge, Update is
//     applied again to what others stored, Transact runs again. No lock is held
//     while a handler runs. A commit whose outcome is not known is never applied
//     twice. Limits: Set after Get is last-writer-wins, and logged when it
//     overwrote somebody; the first requests of a browser that has no cookie yet
//     are different sessions; what Redis loses in a failover is lost.
//   - P2, final logout. Once Logout has returned nil, no request in flight brings
//     the session back, and its id never works again. Limit: what Redis loses in a
//     failover or a restart is lost, also that somebody had signed out;
//     redisstore.Options.WaitReplicas narrows that.
//   - P3, renewal loses nothing. The new record exists before the old one ends,
//     and carries over what others committed before that. A request with the old
//     id reads an empty session, its changes are refused, and its response
//     touches no cookie. Limits: it knows of the end for a minute; a response with
//     the new id that is lost on the network takes the session with it, so a
//     renewal is not made if the client is known to be gone; and so does a renewal
//     whose last write got no answer, and is carried out after all.
//   - P4, flash at most once. Of parallel readers one gets each message. It goes
//     back if nothing of the page was shown. Limits: a page that the browser had
//     prefetched and then shows has looked, not taken, so the next page shows the
//     message too; what the store does not take back is lost, never doubled.
//   - P5, the response tells the truth. The commit comes before the first byte.
//     If it fails, the client gets one error response and nothing of the handler's.
//   - P6, no hang. Every operation on the store has a deadline, retries included.
//     An outage answers 503 and touches no cookie. After a few deadlines in a row
//     requests fail at once, and a probe in the background finds out when the store
//     is back.
//     Limits: a handler that commits several times can meet the deadline as often;
//     each request waits for a store that answers reads and hangs on writes, and for
//     an old library that hangs (Options.Import).
//   - P7, bad data is contained. A damaged record is a fresh session, a damaged
//     value is an absent one, a malformed id never reaches the store.
//   - P8, quiet when idle. No cookie and no write until something is stored, none
//     for a request that changes nothing.
//   - P9, few round trips: none without a cookie, one to read, two to change. A
//     sign-in takes two more, to list the session and to end the old id. To take a
//     session of another library over takes four or five, once; see session.Importer.
//   - P10, safe by default. Random 256-bit ids, of which the store sees a hash;
//     a __Host- cookie, Secure, HttpOnly, SameSite=Lax; no id or value in logs.
//   - P11, typed. A key carries its type; there is nothing to register or assert.
//   - P12, a user's sessions can be listed and ended, one, others or all, at a cost
//     that grows with that user's alone, effective on the very next request, and
//     complete: a renewal that races with it is ended too.
//
// # How it works
//
// Around [github.com/alexedwards/scs/v2], which does tokens, deadlines and the
// cookie, Satchel keeps for each request the list of its changes. A commit
// compares the version of the record that was loaded with the one in the store,
// and swaps in one atomic step. If somebody was faster, the changes are applied
// again to what they stored. Signing out, or renewing the id, leaves a marker
// for a minute, so that stragglers know.
package satchel
