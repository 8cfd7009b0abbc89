// Package sessiontest tests handlers that use sessions, without a server.
//
//	s := sessiontest.New(t).Login("42")
//	cart.Set(s.Context(), Cart{"lime": 1})
//	rec := s.Serve(handler, httptest.NewRequest("POST", "/cart", form))
//	// then look at rec and cart.Get(s.Context()), and
//	s.WantFlash(flash.LevelSuccess, "added")
//
// It is the real thing on a memory store: what a handler does that a session
// refuses, such as a change after the response went out, it refuses here too.
package sessiontest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store/memstore"
)

// A Session is one visitor's session. Its methods fail the test where the
// session does. It is for one goroutine.
type Session struct {
	t        testing.TB
	sessions *session.Manager
	token    string
	open     *opened
}

// opened is a session that the test has in its hands. What it changes there is
// committed before a handler is served.
type opened struct {
	ctx    context.Context
	close  chan struct{}
	closed chan error
	token  string
}

// cookieName is what the visitor's cookie is called.
const cookieName = "session"

// New returns the session of a visitor who has none yet.
func New(t testing.TB) *Session { return NewWith(t, session.Options{}) }

// NewWith is New for handlers that depend on the options. Insecure is set.
func NewWith(t testing.TB, o session.Options) *Session {
	t.Helper()
	kept := memstore.New()
	t.Cleanup(func() { kept.Close() })
	o.Insecure, o.Cookie = true, session.Cookie{Name: cookieName}
	s := &Session{t: t, sessions: session.New(kept, o)}
	t.Cleanup(s.commit)
	return s
}

// Login signs user in, and returns s.
func (s *Session) Login(user string) *Session {
	s.t.Helper()
	session.Login(s.Context(), user)
	s.commit()
	return s
}

// Context returns a context with the session as it is now, to set values, add
// flash messages, and look at what a handler left. It is good until the next
// call of Serve or Login, which commits what was changed in it.
func (s *Session) Context() context.Context {
	s.t.Helper()
	if s.open == nil {
		s.open = s.begin()
	}
	return s.open.ctx
}

// Serve lets handler answer r as the visitor's request, and returns the response.
// handler is what a Manager's Handler would wrap, not that itself.
func (s *Session) Serve(handler http.Handler, r *http.Request) *httptest.ResponseRecorder {
	s.t.Helper()
	s.commit()
	if s.token != "" {
		r = r.Clone(r.Context())
		r.AddCookie(&http.Cookie{Name: cookieName, Value: s.token})
	}
	rec := httptest.NewRecorder()
	s.sessions.Handler(handler).ServeHTTP(rec, r)
	for _, c := range rec.Result().Cookies() {
		if c.Name != cookieName {
			continue
		}
		if s.token = c.Value; c.MaxAge < 0 {
			s.token = ""
		}
	}
	return rec
}

// begin opens the session. Do holds it open in a goroutine until commit.
func (s *Session) begin() *opened {
	o := &opened{close: make(chan struct{}), closed: make(chan error, 1)}
	began := make(chan struct{})
	go func() {
		var err error
		o.token, err = s.sessions.Do(s.t.Context(), s.token, func(ctx context.Context) error {
			o.ctx = ctx
			close(began)
			<-o.close
			return nil
		})
		o.closed <- err
	}()
	<-began
	return o
}

// commit stores what was changed in the context that Context returned.
func (s *Session) commit() {
	s.t.Helper()
	if s.open == nil {
		return
	}
	o := s.open
	s.open = nil
	close(o.close)
	if err := <-o.closed; err != nil {
		s.t.Errorf("sessiontest: what the test changed could not be committed: %v", err)
	}
	s.token = o.token
}
