package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// TestImport_ACrashAtAnyStep of a takeover costs the visitor nothing, whenever they
// come back: at once, or when everything that is remembered for a minute is forgotten.
func TestImport_ACrashAtAnyStep(t *testing.T) {
	for _, m := range takeoverSteps {
		if !m.after {
			continue
		}
		for _, later := range []time.Duration{0, 10 * time.Minute} {
			t.Run(m.String()+", back after "+later.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s, l := trial.Memory(t), midCart()
					f := newFaulty(s)
					f.dies(m)
					b := arrives(f, l.to(plainHTTP()), "ann")
					w := visit(t, b, put("mint"))
					wantStatus(t, w, http.StatusServiceUnavailable)
					if m.nth < 3 {
						wantNoCookie(t, w)
					}
					advance(later)
					b = arrives(s, l.to(plainHTTP()), "ann")
					visitOK(t, b, put("sage"))
					wantCart(t, b, "lime", "sage")
					wantListed(t, s, "7", 1)
				})
			})
		}
	}
}

// TestImport_NoAnswerAtAll is an outage, and not a change of which nobody knows whether
// it was stored.
func TestImport_NoAnswerAtAll(t *testing.T) {
	for _, m := range []moment{{"swap", 1, true}, {"swap", 2, true}, {"swap", 3, true}} {
		t.Run(m.String(), func(t *testing.T) {
			s, l := trial.Memory(t), midCart()
			f := newFaulty(s)
			f.on(m.op, m.nth, func(op trial.Op, call func() error) error {
				f.all(lostRequest)
				return lostReply(op, call)
			})
			b := arrives(f, l.to(plainHTTP()), "ann")
			w := visit(t, b, put("mint"))
			wantRefused(t, w)
			if strings.Contains(w.Body.String(), "check whether your change was saved") {
				t.Error("the page speaks of a change, and there was none")
			}
			f.mend()
			wantCart(t, b, "lime")
			wantListed(t, s, "7", 1)
		})
	}
}

// TestImport_NoAnswer to one operation, whether it was done or not, is found out.
func TestImport_NoAnswer(t *testing.T) {
	for how, mishap := range map[string]mishap{"lost reply": lostReply, "lost request": lostRequest, "timed out": timedOut, "refused": refused} {
		for _, m := range takeoverSteps {
			if m.after {
				continue
			}
			t.Run(how+" of "+m.op+" "+string(rune('0'+m.nth)), func(t *testing.T) {
				trial.OnEachStore(t, func(t *testing.T, s store.Store) {
					l, f := midCart(), newFaulty(s)
					f.on(m.op, m.nth, mishap)
					b := arrives(f, l.to(plainHTTP()), "ann")
					want := []string{"lime", "sage"}
					if w := visit(t, b, put("mint")); w.Code == http.StatusOK {
						want = append(want, "mint")
					} else {
						wantRefused(t, w)
						if m.op == "swap" && how != "refused" {
							t.Errorf("status %d, although it could be found out", w.Code)
						}
					}
					f.wantSpent(t)
					visitOK(t, b, put("sage"))
					wantCart(t, b, want...)
					wantListed(t, s, "7", 1)
				})
			})
		}
	}
}

// TestImport_ALostResponse takes the new cookie with it. The old one leads to the
// session for as long as nobody has come with the new one, and a minute longer.
func TestImport_ALostResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, l := trial.Memory(t), midCart()
		o := l.to(plainHTTP())
		visitOK(t, arrives(s, o, "ann"), put("mint")) // and the response is lost
		advance(30 * time.Minute)
		b := arrives(s, o, "ann")
		wantCart(t, b, "lime", "mint")
		visitOK(t, b, put("sage"))
		wantCart(t, arrives(s, o, "ann"), "lime", "mint", "sage")

		visitOK(t, b, func(context.Context) {}) // with the new cookie
		l.wantAsked(t, 1)
		wantNobody(t, "7", arrives(s, o, "ann"))
		wantCart(t, b, "lime", "mint", "sage")
		visitOK(t, arrives(s, o, "ann"), func(ctx context.Context) {
			wantError(t, "Err of a session that another browser has", session.Err(ctx), nil)
		})
		l.wantAsked(t, 0)
	})
}

// TestImport_TheOldCookieJoinsForAMinute, also after somebody came with the new one:
// requests may be under way that left the browser before.
func TestImport_TheOldCookieJoinsForAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, l := trial.Memory(t), midCart()
		o := l.to(plainHTTP())
		b := arrives(s, o, "ann")
		visitOK(t, b, func(context.Context) {})
		visitOK(t, b, put("mint"))
		advance(59 * time.Second)
		wantCart(t, arrives(s, o, "ann"), "lime", "mint")
		advance(2 * time.Second)
		wantNobody(t, "7", arrives(s, o, "ann"))
	})
}

// TestP2_TheOldCookieDoesNotUndoALogout, at no time: neither while markers live nor
// after, as long as the old library knows its session.
func TestP2_TheOldCookieDoesNotUndoALogout(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, s store.Store, b *trial.Browser){
		"Logout in the first request": nil,
		"Logout": func(t *testing.T, _ store.Store, b *trial.Browser) {
			visitOK(t, b, func(context.Context) {})
			visitOK(t, b, func(ctx context.Context) { wantError(t, "Logout", session.Logout(ctx), nil) })
		},
		"RevokeAll of one whose response was lost": func(t *testing.T, s store.Store, _ *trial.Browser) { endAll(t, s, "7") },
		"RevokeAll": func(t *testing.T, s store.Store, b *trial.Browser) {
			visitOK(t, b, func(context.Context) {})
			endAll(t, s, "7")
		},
		"Login as somebody else": func(t *testing.T, _ store.Store, b *trial.Browser) { visitOK(t, b, signIn("8")) },
		"Renew, and Logout": func(t *testing.T, _ store.Store, b *trial.Browser) {
			visitOK(t, b, session.Renew)
			visitOK(t, b, func(ctx context.Context) { wantError(t, "Logout", session.Logout(ctx), nil) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, l := trial.Memory(t), midCart()
				o := l.to(plainHTTP())
				b := arrives(s, o, "ann")
				if end == nil {
					visitOK(t, b, func(ctx context.Context) { wantError(t, "Logout", session.Logout(ctx), nil) })
				} else {
					visitOK(t, b, func(context.Context) {})
					end(t, s, b)
				}
				for _, d := range []time.Duration{0, 30 * time.Second, 31 * time.Second, 10 * time.Minute, 47 * time.Minute} {
					advance(d)
					wantNobody(t, "7", arrives(s, o, "ann"))
				}
				l.wantAsked(t, 1)
			})
		})
	}
}

// TestP2_ALogoutRenouncesTheOldCookie that came with it, also where it was never taken
// over: of a visitor who had signed in here, and has been at an old instance too.
func TestP2_ALogoutRenouncesTheOldCookie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, l := newFaulty(trial.Memory(t)), midCart()
		b := browse(f, l.to(plainHTTP()), obliging)
		visitOK(t, b, signIn("8"))
		b.SetCookie(oldCookie, "ann")
		late := b.Fork() // the response of the logout is lost
		f.on("swap", 1, refused)
		w := visitOK(t, b, func(ctx context.Context) {
			wantStoreError(t, "Logout", session.Logout(ctx), false)
			// which the response's commit does once more
		})
		f.wantSpent(t)
		wantSame(t, "cookies", cookieLines(t, w), "old gone, session gone")
		for _, d := range []time.Duration{0, 2 * time.Minute} {
			advance(d)
			wantNobody(t, "7", late)
			wantNobody(t, "8", late)
		}
		l.wantAsked(t, 2)
	})
}

// TestP2_ALogoutRenouncesEveryValueOfTheOldCookie, where the old library has given the
// session one more: the session is meant, and not the value.
func TestP2_ALogoutRenouncesEveryValueOfTheOldCookie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, l := trial.Memory(t), midCart()
		o := l.to(plainHTTP())
		o.Lifetime = 30 * time.Minute // less than the old session has
		l.sessions["ann"].ID = "a name that is hard to guess"
		l.sessions["ann again"] = l.sessions["ann"]
		b := visitor(t, s, o, signIn("8"))
		b.SetCookie(oldCookie, "ann")
		before := b.Fork()

		// Without the old library's word nobody knows what to renounce, so the
		// session goes on.
		l.around = func(context.Context, func() (*session.Imported, error)) (*session.Imported, error) {
			return nil, errors.New("down")
		}
		wantRefused(t, visit(t, b, logOut))
		visitOK(t, before, func(ctx context.Context) { wantSame(t, "user", session.UserID(ctx), "8") })

		l.around = nil
		visitOK(t, b, func(ctx context.Context) { wantError(t, "Logout", session.Logout(ctx), nil) })
		for _, d := range []time.Duration{0, 2 * time.Minute, 57 * time.Minute} {
			advance(d)
			wantNobody(t, "8", before)
			wantNobody(t, "7", arrives(s, o, "ann"))
			wantNobody(t, "7", arrives(s, o, "ann again"))
		}
	})
}

// TestP2_ALogoutRenouncesATakeoverThatStoppedHalfWay, which would be completed later.
func TestP2_ALogoutRenouncesATakeoverThatStoppedHalfWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, l := trial.Memory(t), midCart()
		f := newFaulty(s)
		f.dies(moment{"swap", 1, true})
		wantRefused(t, visit(t, arrives(f, l.to(plainHTTP()), "ann"), put("mint")))
		b := visitor(t, s, l.to(plainHTTP()), signIn("8"))
		b.SetCookie(oldCookie, "ann")
		visitOK(t, b, logOut)
		advance(2 * time.Minute)
		wantNobody(t, "7", arrives(s, l.to(plainHTTP()), "ann"))
	})
}

// TestP2_ALogoutEndsWhatItsOldCookieLeadsTo, also where that is another session than the one
// it is about: the response that brought its cookie was lost.
func TestP2_ALogoutEndsWhatItsOldCookieLeadsTo(t *testing.T) {
	for _, id := range []string{"", "a name that is hard to guess"} {
		synctest.Test(t, func(t *testing.T) {
			s, l := trial.Memory(t), midCart()
			o := l.to(plainHTTP())
			l.sessions["ann"].ID = id
			visitOK(t, arrives(s, o, "ann"), put("sage")) // and nobody hears of it
			b := visitor(t, s, o, signIn("8"))
			b.SetCookie(oldCookie, "ann")
			visitOK(t, b, func(ctx context.Context) { wantError(t, "Logout", session.Logout(ctx), nil) })
			for _, d := range []time.Duration{0, 2 * time.Minute, 50 * time.Minute} {
				advance(d)
				wantNobody(t, "7", arrives(s, o, "ann"))
			}
			wantListed(t, s, "7", 0)
		})
	}
}

// TestUnconfirmed_ALogoutThatEndsAnotherSession says so only when that is confirmed as well.
func TestUnconfirmed_ALogoutThatEndsAnotherSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		confirmed := true
		var swapped []string // at first the receipt, and then the session
		lagging := trial.Intercept(trial.Memory(t), func(op trial.Op, call func() error) error {
			err := call()
			if op.Name == "swap" && err == nil {
				swapped = append(swapped, op.ID)
				if !confirmed && op.ID == swapped[1] { // which is on another master
					err = fmt.Errorf("1 replica: %w", store.ErrUnconfirmed)
				}
			}
			return err
		})
		o := midCart().to(plainHTTP())
		visitOK(t, arrives(lagging, o, "ann"), put("sage"))
		b := visitor(t, lagging, o, signIn("8"))
		b.SetCookie(oldCookie, "ann")
		confirmed = false
		for range 2 {
			wantRefused(t, visit(t, b.Fork(), logOut))
		}
		confirmed = true
		visitOK(t, b, logOut)
		wantNobody(t, "7", arrives(lagging, o, "ann"))
	})
}

// TestP2_ALogoutLeavesASessionOfItsOwn: once the browser has the new cookie, and a minute
// later, the old one leads nowhere, and a logout elsewhere that has it ends nobody's.
func TestP2_ALogoutLeavesASessionOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, l := trial.Memory(t), midCart()
		o := l.to(plainHTTP())
		mine := arrives(s, o, "ann")
		visitOK(t, mine, put("sage"))
		visitOK(t, mine, put("mint"))
		advance(2 * time.Minute)
		b := visitor(t, s, o, signIn("8"))
		b.SetCookie(oldCookie, "ann")
		visitOK(t, b, func(ctx context.Context) { wantError(t, "Logout", session.Logout(ctx), nil) })
		wantCart(t, mine, "lime", "sage", "mint")
	})
}

// TestP2_ALogoutRacesWithATakeoverOfItsOldCookie at each step, into another session than
// the one it is about. The slow request brings nothing back.
func TestP2_ALogoutRacesWithATakeoverOfItsOldCookie(t *testing.T) {
	for _, m := range takeoverSteps {
		t.Run(m.String(), func(t *testing.T) {
			onTwoInstances(t, func(t *testing.T, one, two store.Store) {
				l, f := midCart(), newFaulty(one)
				slow := arrives(f, l.to(plainHTTP()), "ann")
				b := visitor(t, two, l.to(plainHTTP()), signIn("8"))
				b.SetCookie(oldCookie, "ann")
				f.at(m, func() {
					visitOK(t, b, func(ctx context.Context) { wantError(t, "Logout", session.Logout(ctx), nil) })
				})
				w := visit(t, slow, put("sage"))
				f.wantSpent(t)
				wantStatus(t, w, http.StatusConflict)
				wantNoCookie(t, w)
				wantNobody(t, "7", slow, arrives(one, l.to(plainHTTP()), "ann"))
				wantListed(t, one, "7", 0)
			})
		})
	}
}

// TestP2_AReceiptOutlivesTheOldCookie, which the old library may take for longer than its
// session lasts.
func TestP2_AReceiptOutlivesTheOldCookie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, l := trial.Memory(t), midCart()
		o := l.to(plainHTTP())
		l.sessions["ann"].CookieUntil = time.Now().Add(30 * 24 * time.Hour)
		b := arrives(s, o, "ann")
		visitOK(t, b, func(context.Context) {})
		visitOK(t, b, func(ctx context.Context) { wantError(t, "Logout", session.Logout(ctx), nil) })
		advance(29 * 24 * time.Hour)
		l.sessions["ann"].Deadline = time.Now().Add(time.Hour) // as one that counts from now
		wantNobody(t, "7", arrives(s, o, "ann"))
	})
}

// TestP2_AnIdleTimeoutIsNotUndone either, however short.
func TestP2_AnIdleTimeoutIsNotUndone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, l := trial.Memory(t), midCart()
		o := l.to(plainHTTP())
		o.IdleTimeout = 10 * time.Second
		visitOK(t, arrives(s, o, "ann"), func(context.Context) {})
		advance(11 * time.Second)
		wantNobody(t, "7", arrives(s, o, "ann"))
		l.wantAsked(t, 1)
	})
}
