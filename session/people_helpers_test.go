package session_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// signIn returns what a request does that signs user in.
func signIn(user string) deed {
	return func(ctx context.Context) { session.Login(ctx, user) }
}

// device returns a browser that has just signed user in.
func device(t *testing.T, s store.Store, o session.Options, user string) *trial.Browser {
	t.Helper()
	return visitor(t, s, o, signIn(user))
}

// devices returns n browsers that have signed user in one after the other.
func devices(t *testing.T, n int, s store.Store, o session.Options, user string) (all []*trial.Browser) {
	t.Helper()
	for range n {
		all = append(all, device(t, s, o, user))
	}
	return all
}

// office returns a manager that serves no requests, as a background job has it.
func office(s store.Store) *session.Manager { return session.New(s, plainHTTP()) }

// sessionsOf lists user's sessions.
func sessionsOf(t testing.TB, s store.Store, user string) []session.Info {
	t.Helper()
	all, err := office(s).Sessions(t.Context(), user)
	wantError(t, "Sessions", err, nil)
	return all
}

// refsOf returns the refs of user's sessions, sorted.
func refsOf(t testing.TB, s store.Store, user string) (refs []string) {
	t.Helper()
	for _, i := range sessionsOf(t, s, user) {
		refs = append(refs, i.Ref)
	}
	slices.Sort(refs)
	return refs
}

// refOf returns the ref of b's own session among user's.
func refOf(t testing.TB, m *session.Manager, b *trial.Browser, user string) (ref string) {
	t.Helper()
	token := b.Cookies()["session"]
	_, err := m.Do(t.Context(), token, func(ctx context.Context) error {
		all, err := m.Sessions(ctx, user)
		for _, i := range all {
			if i.Current {
				ref = i.Ref
			}
		}
		return err
	})
	wantError(t, "Sessions", err, nil)
	return ref
}

// wantSignedIn checks who is signed in with each browser's cookies, "" for nobody.
func wantSignedIn(t testing.TB, user string, browsers ...*trial.Browser) {
	t.Helper()
	for i, b := range browsers {
		if got := userOf(t, b); got != user {
			t.Errorf("browser %d: %q is signed in on the very next request, want %q", i, got, user)
		}
	}
}

// wantListed checks how many sessions of user are listed.
func wantListed(t testing.TB, s store.Store, user string, want int) {
	t.Helper()
	if got := len(sessionsOf(t, s, user)); got != want {
		t.Errorf("%d sessions of user %s are listed, want %d", got, user, want)
	}
}

// endAll ends all sessions of user, which has to succeed.
func endAll(t testing.TB, s store.Store, user string) {
	t.Helper()
	wantError(t, "RevokeAll", office(s).RevokeAll(t.Context(), user), nil)
}

// fetch is visit with a request of the test's own making.
func fetch(t testing.TB, b *trial.Browser, r *http.Request, do deed) *httptest.ResponseRecorder {
	t.Helper()
	return b.Do(t, r.WithContext(context.WithValue(r.Context(), deedKey{}, do)))
}

// noIndex is a store that can't list anybody's sessions.
type noIndex struct{ store.Store }

// A census is a store for the sessions of one user, that checks after each
// operation what the index owes: every session that is alive is listed.
type census struct {
	*faulty
	t  testing.TB
	mu sync.Mutex

	owner string
	ids   []string
}

func newCensus(t testing.TB, s store.Store) *census { return &census{faulty: newFaulty(s), t: t} }

func (c *census) Index(ctx context.Context, owner, ref, id string, ttl time.Duration) error {
	c.mu.Lock()
	if c.owner != "" && c.owner != owner {
		c.t.Error("a census is for the sessions of one user")
	}
	c.owner = owner
	c.mu.Unlock()
	err := c.faulty.Index(ctx, owner, ref, id, ttl)
	c.check("index")
	return err
}

func (c *census) Swap(ctx context.Context, id string, prev store.Version, next store.Record) error {
	c.mu.Lock()
	if next.Rank == store.RankUser && !slices.Contains(c.ids, id) {
		c.ids = append(c.ids, id)
	}
	c.mu.Unlock()
	err := c.faulty.Swap(ctx, id, prev, next)
	c.check(kind(trial.Op{Name: "swap", Prev: prev, Next: next}))
	return err
}

func (c *census) Delete(ctx context.Context, id string) error {
	err := c.faulty.Delete(ctx, id)
	c.check("delete")
	return err
}

func (c *census) Unindex(ctx context.Context, owner, id string) error {
	err := c.faulty.Unindex(ctx, owner, id)
	c.check("unindex")
	return err
}

// live returns the ids of the sessions that are alive.
func (c *census) live() (ids []string) {
	c.mu.Lock()
	all := slices.Clone(c.ids)
	c.mu.Unlock()
	for _, id := range all {
		if isLive(c.t, c.sound, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

func (c *census) check(after string) {
	c.mu.Lock()
	owner := c.owner
	c.mu.Unlock()
	live := c.live()
	if owner == "" {
		if len(live) > 0 {
			c.t.Errorf("after %s: a session is alive before anything was listed", after)
		}
		return
	}
	entries, err := c.sound.(store.Indexer).Owned(context.Background(), owner)
	if err != nil {
		c.t.Errorf("after %s: %v", after, err)
	}
	for _, id := range live {
		listed := slices.ContainsFunc(entries, func(e store.Entry) bool { return e.ID == id })
		// One that was ended and unlisted while we looked is no violation.
		if !listed && isLive(c.t, c.sound, id) {
			c.t.Errorf("after %s: a session is alive that the index does not list; nobody can end it", after)
		}
	}
}

// isLive reports whether there is a session under id, and not the marker of one.
func isLive(t testing.TB, s store.Store, id string) bool {
	r, err := s.Find(context.Background(), id)
	if err != nil {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("looking for a record: %v", err)
		}
		return false
	}
	const flagEnded = 2
	return r.Data[1]&flagEnded == 0
}

// unsteady is a store that lists a user's sessions in the way that it is allowed
// to: the entries first, and then each record by itself. In between it does, once,
// what the test wants.
type unsteady struct {
	*faulty
	between func()
}

func (u *unsteady) Owned(ctx context.Context, owner string) ([]store.Entry, error) {
	entries, err := u.faulty.Owned(ctx, owner)
	if err != nil {
		return nil, err
	}
	if do := u.between; do != nil {
		u.between = nil
		do()
	}
	for i := range entries {
		entries[i].Record, err = u.sound.Find(ctx, entries[i].ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
	}
	return entries, nil
}
