package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Login signs user in with the next commit. The session gets a new id, so that
// nobody who knew the old one is signed in too (session fixation, OWASP ASVS
// 7.2.4), and a full Options.Lifetime. It keeps what an anonymous session held,
// and nothing of another user's. Forget what Remember said before; call it after.
//
// user is a stable id, not a name that can change or be given to somebody else.
// An empty one fails the commit.
//
// The commit lists the session under the user, creates the new record, ends the
// old one if there was a session, and only then the cookie goes out: a round trip
// each, and one more with Options.MaxPerUser. Of several sign-ins with one old id
// at once, one is taken; the others fail with ErrEnded. A sign-in with the id of a
// session that has ended begins an empty one.
func Login(ctx context.Context, user string) {
	t := within(ctx)
	if user == "" {
		t.change(impossible{err: errors.New("session: Login needs a user; use Logout to sign out")})
		return
	}
	now := time.Now()
	t.change(login{
		user: user, ref: rand.Text(), agent: t.agent(),
		at: micro(now), deadline: micro(now.Add(t.manager.options.Lifetime)),
	})
}

// agent returns the client's User-Agent, of which a client can't make us keep
// more than a line.
func (t *transaction) agent() string {
	if t.request == nil {
		return ""
	}
	const most = 256
	agent := t.request.UserAgent()
	return strings.ToValidUTF8(agent[:min(len(agent), most)], "")
}

// Logout is [Destroy]: the session ends, with everything in it.
func Logout(ctx context.Context) error { return Destroy(ctx) }

// UserID returns the user that is signed in, as Login was told, or "".
func UserID(ctx context.Context) string {
	t := within(ctx)
	r := t.look()
	t.mu.Lock()
	t.readUser = true
	t.mu.Unlock()
	if r == nil {
		return ""
	}
	return r.user
}

// Renew gives the session a new id with the next commit, for when what it may do
// changes. Everything in it stays, and what others commit meanwhile is carried
// over. It takes one round trip more than a change does, and two more than that
// where somebody is signed in.
func Renew(ctx context.Context) { within(ctx).change(renewal{}) }

// Destroy ends the session now, in one round trip, and one more to take it off its
// user's list. Once it has returned nil, no
// request in flight brings the session back, and its id never works again. What
// this request changed before is dropped; what it changes after, such as a
// message for the next page, begins a new session under a new id.
//
// With an error the session may still be there; answer with it, as in
// session.Error(w, r, err). If the handler goes on as if nothing had happened, the
// response's commit tries once more to end the session, and if that fails as well,
// the client gets an error response. It fails with ErrEnded if the session was
// renewed by another request meanwhile, or may have been, and so may live on under
// an id that this request does not know.
func Destroy(ctx context.Context) error {
	t := within(ctx)
	if err := t.direct(); err != nil {
		return err
	}
	return t.destroy(ctx)
}

// Clear deletes all values with the next commit. The id and the user stay.
func Clear(ctx context.Context) { within(ctx).change(clearValues{}) }

// Commit stores the changes now, instead of with the response: one round trip,
// none if there are no changes. If the store fails, the changes stay, and the
// response's commit tries again, unless the handler answers with a 5xx; after any
// other error they are dropped.
func Commit(ctx context.Context) error {
	t := within(ctx)
	if err := t.direct(); err != nil {
		return err
	}
	return t.commit(ctx, nil)
}

// Reload fetches what others have committed since the session was loaded, and
// extends the idle timeout if that is due: one round trip, sometimes two. It is
// for requests that last, such as server-sent events and WebSockets. Changes of this
// request that are not committed stay.
//
// After a logout, a revocation or a renewal it returns ErrEnded, and the session
// is empty from then on. If the store fails, the session stays as it is.
func Reload(ctx context.Context) error {
	t := within(ctx)
	if err := t.direct(); err != nil {
		return err
	}
	return t.reload(ctx)
}

// direct returns an error if ctx is not one to commit in.
func (t *transaction) direct() error {
	if t.outer != nil {
		return errInTransact
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sealed {
		return ErrDone
	}
	return nil
}

// Remember makes this session live d from now, idle or not, and its cookie
// survive the browser. Call it after Login. Without anything in the session it
// does nothing.
func Remember(ctx context.Context, d time.Duration) {
	deadline := micro(time.Now().Add(d))
	within(ctx).change(ahead("Remember", deadline, remember{deadline}))
}

// Remembered reports whether Remember was called for this session since the last
// sign-in.
func Remembered(ctx context.Context) bool {
	r := within(ctx).look()
	return r != nil && r.remembered
}

// SetDeadline sets when the session ends, whatever Options.Lifetime says. A time
// that has passed fails the commit; use Destroy.
func SetDeadline(ctx context.Context, t time.Time) {
	deadline := micro(t)
	within(ctx).change(ahead("SetDeadline", deadline, newDeadline{deadline}))
}

// SetIdleTimeout gives this session an idle timeout of its own, in the place of
// Options.IdleTimeout; 0 gives it that one back. A sign-in does, too. A negative one
// fails the commit.
func SetIdleTimeout(ctx context.Context, d time.Duration) {
	if d < 0 {
		within(ctx).change(impossible{err: fmt.Errorf("session: SetIdleTimeout(%v): use a positive duration, or 0 for that of the options", d)})
		return
	}
	within(ctx).change(newIdle{d.Truncate(time.Microsecond)})
}

// AuthenticatedAt returns when the user last signed in to this session, as it was
// asked for with Login; the zero time if nobody is signed in. Signing in again as
// the same user moves it, so an app can ask for the password again before
// something sensitive (OWASP ASVS 7.5.1, 7.5.3). See [RequireRecent].
func AuthenticatedAt(ctx context.Context) time.Time {
	r := within(ctx).look()
	if r == nil {
		return time.Time{}
	}
	return r.authenticated
}

// Deadline returns when the session ends, or the zero time if there is none. An
// idle timeout may end it before.
func Deadline(ctx context.Context) time.Time {
	r := within(ctx).look()
	if r == nil {
		return time.Time{}
	}
	return r.deadline
}

// Err returns why the session is read-only, or else the first change that could
// not be made, or else why the last commit failed, or nil.
func Err(ctx context.Context) error { return within(ctx).err() }

// ahead returns c if its deadline lies ahead, or else a change that says so.
func ahead(what string, deadline time.Time, c change) change {
	if deadline.After(time.Now()) {
		return c
	}
	return impossible{err: fmt.Errorf("session: %s: %s has passed; use Destroy to end a session", what, deadline.Format(time.RFC3339))}
}
