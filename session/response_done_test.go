package session_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/gosatchel/satchel/session"
)

// Once the handler has returned, nothing of its request can change the session:
// its response is out, and whoever acts now does so for nobody.
func TestP5_AChangeAfterTheHandlerReturnedIsRefused(t *testing.T) {
	// What a goroutine tries that the handler has left behind. Those that return no
	// error themselves are logged.
	attempts := map[string]func(ctx context.Context) error{
		"Set": func(ctx context.Context) error { shade.Set(ctx, "late"); return session.Err(ctx) },
		"Update": func(ctx context.Context) error {
			shade.Update(ctx, func(c *string) { *c = "late" })
			return session.Err(ctx)
		},
		"Delete":  func(ctx context.Context) error { shade.Delete(ctx); return session.Err(ctx) },
		"Clear":   func(ctx context.Context) error { session.Clear(ctx); return session.Err(ctx) },
		"Login":   func(ctx context.Context) error { session.Login(ctx, "ann"); return session.Err(ctx) },
		"Renew":   func(ctx context.Context) error { session.Renew(ctx); return session.Err(ctx) },
		"Commit":  func(ctx context.Context) error { shade.Set(ctx, "late"); return session.Commit(ctx) },
		"Destroy": session.Destroy,
		"Reload":  session.Reload,
		"Take":    func(ctx context.Context) error { _, _, err := shade.Take(ctx); return err },
		"Transact": func(ctx context.Context) error {
			return session.Transact(ctx, func(ctx context.Context) error { shade.Set(ctx, "late"); return nil })
		},
	}
	silent := []string{"Set", "Update", "Delete", "Clear", "Login", "Renew"}
	endings := map[string]func(s *running, w http.ResponseWriter){
		"without a response": func(*running, http.ResponseWriter) {},
		"with a response":    func(_ *running, w http.ResponseWriter) { io.WriteString(w, "hello") },
		"after a failure": func(s *running, w http.ResponseWriter) {
			s.lever.breaks("swap", errRefused)
			io.WriteString(w, "hello")
			s.lever.breaks("swap", nil)
		},
		"with a panic": func(*running, http.ResponseWriter) { panic(http.ErrAbortHandler) },
	}
	onEachGround(t, func(t *testing.T, g ground) {
		for ending, end := range endings {
			for name, attempt := range attempts {
				t.Run(ending+"/"+name, func(t *testing.T) {
					result := make(chan error)
					var s *running
					s = g.start(t, site{handler: func(w http.ResponseWriter, r *http.Request) {
						shade.Set(r.Context(), "green")
						go func() {
							<-s.edge.returned
							result <- attempt(context.WithoutCancel(r.Context()))
						}()
						end(s, w)
					}})
					cookie := s.visitor(t, "red")
					<-s.send(t, http.MethodGet, cookie).done
					before := s.stored(t, cookie)
					if err := <-result; !errors.Is(err, session.ErrDone) {
						t.Errorf("it ended with %v, want ErrDone", err)
					}
					if got := s.stored(t, cookie); got != before {
						t.Errorf("the store has %q, want %q as before", got, before)
					}
					for _, n := range silent {
						if n == name && !strings.Contains(s.log.String(), session.ErrDone.Error()) {
							t.Errorf("the log does not say that the change is lost: %q", s.log)
						}
					}
				})
			}
		}
	})
}

// A Transact that was under way when the handler returned makes its changes after.
func TestP5_ATransactThatOutlivesItsHandlerIsRefused(t *testing.T) {
	ends := map[string]func(s *running, w http.ResponseWriter, begin func()){
		"after a response": func(_ *running, w http.ResponseWriter, begin func()) { io.WriteString(w, "hello"); begin() },
		"without one":      func(_ *running, _ http.ResponseWriter, begin func()) { begin() },
		"after a failure": func(s *running, w http.ResponseWriter, begin func()) {
			s.lever.breaks("swap", errRefused)
			io.WriteString(w, "hello")
			s.lever.breaks("swap", nil)
			begin()
		},
		"before a panic": func(_ *running, _ http.ResponseWriter, begin func()) { begin(); panic(http.ErrAbortHandler) },
	}
	contexts := map[string]func(context.Context) context.Context{
		"its own":          func(ctx context.Context) context.Context { return ctx },
		"one that goes on": context.WithoutCancel,
	}
	onEachGround(t, func(t *testing.T, g ground) {
		for name, end := range ends {
			for whose, keep := range contexts {
				t.Run(name+"/context "+whose, func(t *testing.T) {
					result := make(chan error)
					var s *running
					s = g.start(t, site{handler: func(w http.ResponseWriter, r *http.Request) {
						shade.Set(r.Context(), "green")
						inside := make(chan struct{})
						end(s, w, func() {
							go func() {
								began := false
								result <- session.Transact(keep(r.Context()), func(ctx context.Context) error {
									if !began {
										began = true
										close(inside)
										<-s.edge.returned
										if whose == "its own" {
											<-ctx.Done() // as it is once net/http knows that the handler is gone
										}
									}
									shade.Set(ctx, "late")
									return nil
								})
							}()
							<-inside
						})
					}})
					cookie := s.visitor(t, "red")
					<-s.send(t, http.MethodGet, cookie).done
					if err := <-result; !errors.Is(err, session.ErrDone) {
						t.Errorf("Transact returned %v, want ErrDone", err)
					}
					if got := s.stored(t, cookie); strings.Contains(got, "late") {
						t.Errorf("the store has %q: a change made after the handler returned was saved", got)
					}
				})
			}
		}
	})
}

// A goroutine that comes too late loses its own change, and none of the handler's.
func TestP5_AStragglerTakesNoChangeOfTheHandlerDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var request context.Context
		var swap *hold
		s, get := rehearse(t, site{handler: func(w http.ResponseWriter, r *http.Request) {
			request = r.Context()
			io.WriteString(w, "hello")
			shade.Set(request, "orange")
			go session.Commit(request)
			<-swap.entered
			shade.Set(request, "green") // in time, for the commit at the end
		}})
		cookie := s.visitor(t, "red")
		swap = s.lever.hold("swap")
		go get(cookie)
		synctest.Wait() // the handler has returned, and its last commit waits for the other one
		shade.Set(request, "late")
		swap.open()
		synctest.Wait()
		if got := s.stored(t, cookie); got != "green" {
			t.Errorf("the store has %q, want green, the change that was made before the handler returned", got)
		}
	})
}
