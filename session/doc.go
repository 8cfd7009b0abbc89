// Package session gives net/http handlers sessions that survive concurrent
// requests.
//
// A [Manager] wraps the handler that all requests go through:
//
//	sessions := session.New(memstore.New(), session.Options{})
//	http.ListenAndServe(addr, sessions.Handler(mux))
//
// Behind it everything is a function of the request's context. A [Key] is a
// typed value; [Login], [Logout] and [UserID] are about who is signed in.
//
// # Reading and changing
//
// The session is loaded before the handler runs, so Get can't fail. Set, Update
// and Login return no error either: they say what the next commit is to do. It
// comes by itself before the first byte of the response, and what can't be
// encoded, is too large, or meets a session that can't be written makes it fail.
// Then the client gets an error response (see [Options].OnError) and nothing of
// the handler's headers, cookies and body. Who wants to know earlier calls
// [Commit].
//
// Within a request, Get sees the request's own changes.
//
// # Concurrency
//
// Any number of requests of one session run at the same time, and none waits for
// another. A commit finds out, by the version of the record, whether somebody else has
// committed since this request loaded the session. If so, it applies its changes again
// to what is there now:
//
//   - Changes of different keys merge.
//   - [Key.Update] runs its function again, on the other's value. So adding to a
//     cart, counting, and appending lose nothing.
//   - [Key.Set] sets: of two, the last one wins. Where the request had read the key
//     before, and overwrites what it did not see, that is logged.
//   - [Transact] runs its function again if what it read or changed was changed.
//   - [Key.Take] gives a value to one of all who take it.
//
// Goroutines that a handler starts may use the session while the handler runs.
//
// A value is JSON and belongs to all releases of an app that run at the same time:
// one that does not know a field drops it when it updates the value, and one that
// can't decode a value overwrites it. Add fields first, use them with the next
// release. A session is made for some tens of keys; each change copies their names.
//
// # Failure
//
// What callers match with errors.Is is [ErrEnded], [ErrTooLarge],
// [ErrHeadersSent], [ErrDone], [ErrAmbiguous], [ErrUnknown] and [ErrNoIndex]; with
// errors.As it is *[StoreError]. No error contains ids or values.
//
// When the store does not answer, nothing hangs longer than Options.StoreTimeout. After
// five operations in a row that failed and took a tenth of that or more, the manager
// stops waiting: all fail at once with a *[StoreError], while a probe in the background
// finds out when the store is back. One line in the log says when that begins, and one
// when it is over. (A probe outlives the request that has caused it, by
// Options.StoreTimeout at most; a test in a synctest bubble lets that pass.) Failures
// that come at once, as from a store that is full, change nothing: they keep nobody
// waiting, and other operations may work.
//
// A write that got no answer may have happened or not. Satchel looks: the
// version that the commit chose is in the record, or in the list of the last
// commits that the record carries. If it can't find out, it does not try again,
// and says ErrUnknown.
//
// # Moving from another library
//
// [Options].Import takes the sessions of another library over: a visitor who comes with
// the old cookie goes on in a session of ours, signed in and with the old values, under a
// new id. It is asked once about a cookie; requests at the same time, in any process,
// join the one session. See [Importer], packages session/fromscs and
// session/fromgorilla, and docs/moving.md.
//
// # Where this differs from what one might expect
//
//   - The writer that handlers get has no Unwrap method. Through it a response
//     could begin without a commit. It does itself what an
//     http.ResponseController asks for.
//   - A [Destroy] that fails is tried again when the response begins, and if that
//     fails too, the client gets an error page: a page that says "signed out" has
//     to be true.
//   - A commit goes on when the client goes away, but for a renewal or sign-in of a
//     client that is known to be gone before: it would end the old id, and nobody
//     would get the new one.
//   - A handler that answers a failed Commit or Destroy with a 5xx has told the client
//     that nothing was done. So that is not tried again with the response.
//   - A cookie's name gets the strongest prefix that its attributes allow; see
//     [Cookie].
//   - A request that overlaps with a renewal or a sign-in is refused (409) if it
//     changes something. It can't be carried over: whoever had the old id, which
//     may be an attacker who planted it, could write into the new session.
package session
