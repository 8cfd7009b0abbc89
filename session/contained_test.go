package session_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

var note = session.NewKey[string]("test-note")

// notes is an app that reads and writes one value.
var notes = routes{
	"/read": func(ctx context.Context) string {
		v, ok := note.Lookup(ctx)
		return fmt.Sprintf("%q %v", v, ok)
	},
	"/write": func(ctx context.Context) string { note.Set(ctx, "written"); return "" },
}

// tampering returns s with the data of every record that is found changed by edit.
type tampering struct {
	store.Store
	edit func([]byte) []byte
}

func (s tampering) Find(ctx context.Context, id string) (store.Record, error) {
	r, err := s.Store.Find(ctx, id)
	if err == nil {
		r.Data = s.edit(bytes.Clone(r.Data))
	}
	return r, err
}

// damages are what can happen to a record so that it is none any more.
var damages = map[string]func([]byte) []byte{
	"empty":           func([]byte) []byte { return nil },
	"one byte":        func(b []byte) []byte { return b[:1] },
	"cut short":       func(b []byte) []byte { return b[:len(b)-1] },
	"half":            func(b []byte) []byte { return b[:len(b)/2] },
	"more at the end": func(b []byte) []byte { return append(b, 0) },
	"version 0":       func(b []byte) []byte { b[0] = 0; return b },
	"another's format": func([]byte) []byte {
		return []byte("\x00\x00\x00\x00{\"cart\":{}}")
	},
}

func TestP7_ADamagedRecordIsAFreshSession(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		for name, edit := range damages {
			t.Run(name, func(t *testing.T) {
				b := browse(s, plainHTTP(), notes)
				b.Get(t, "/write")
				id := b.Cookies()["session"]

				var log logged
				damaged := browse(tampering{s, edit}, log.to(plainHTTP()), notes)
				damaged.SetCookie("session", id)
				w := damaged.Get(t, "/read")
				if got := body(t, w); got != `"" false` {
					t.Errorf("the page reads %s, want nothing", got)
				}
				if w.Header().Get("Set-Cookie") != "" {
					t.Error("a request that stores nothing touched the visitor's cookie")
				}
				if !strings.Contains(log.String(), "damaged record") {
					t.Errorf("nothing of it in the log: %s", log.String())
				}
				if strings.Contains(log.String(), id) {
					t.Error("the id is in the log")
				}

				body(t, damaged.Get(t, "/write"))
				if got := damaged.Cookies()["session"]; got == id {
					t.Error("the id of the damaged record was used for the new session")
				}
			})
		}
	})
}

func TestP7_AForeignValueInRedisIsAFreshSession(t *testing.T) {
	server, prefix := redistest.Shared(t), redistest.Prefix(t)
	s := trial.OpenRedis(t, server.URL(), prefix)
	var id string
	b := browse(trial.Intercept(s, func(op trial.Op, call func() error) error {
		id = op.ID
		return call()
	}), plainHTTP(), notes)
	for _, foreign := range [][]any{{"SET", "somebody's"}, {"RPUSH", "a", "b"}} {
		b.Get(t, "/write")
		key := prefix + "session:" + id
		server.Do(t, "DEL", key)
		server.Do(t, foreign[0].(string), append([]any{key}, foreign[1:]...)...)
		if got := body(t, b.Get(t, "/read")); got != `"" false` {
			t.Errorf("with a %s under its key the session reads %s", foreign[0], got)
		}
	}
}

func TestP7_ARecordOfANewerVersionIsAnOutage(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		b := browse(s, plainHTTP(), notes)
		b.Get(t, "/write")
		before := b.Cookies()["session"]
		newer := tampering{s, func(b []byte) []byte { b[0] = session.FormatVersion + 1; return b }}

		old := browse(newer, plainHTTP(), notes)
		old.SetCookie("session", before)
		w := old.Get(t, "/write")
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("status %d with Retry-After %q, want 503 with one", w.Code, w.Header().Get("Retry-After"))
		}
		if w.Header().Get("Set-Cookie") != "" {
			t.Error("the visitor's cookie was touched")
		}
		if got := body(t, b.Get(t, "/read")); got != `"written" true` {
			t.Errorf("after it the session reads %s; it is to survive", got)
		}
	})
}

var (
	countText   = session.NewKey[string]("test-count")
	countBroken = session.NewKey[brokenCount]("test-count-broken")
)

// brokenCount can be written, and not be read any more.
type brokenCount int

func (brokenCount) MarshalJSON() ([]byte, error)  { return []byte(`"not a number, and secret"`), nil }
func (*brokenCount) UnmarshalJSON(b []byte) error { return fmt.Errorf("can't read %s", b) }

func TestP7_AnUndecodableValueReadsAsAbsent_ThatOneAlone(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		var log logged
		b := browse(s, log.to(plainHTTP()), routes{
			"/write": func(ctx context.Context) string {
				countBroken.Set(ctx, 1)
				countText.Set(ctx, "fine")
				return ""
			},
			"/read": func(ctx context.Context) string {
				_, ok := countBroken.Lookup(ctx)
				return fmt.Sprint(ok, countText.Get(ctx))
			},
		})
		b.Get(t, "/write")
		if got := body(t, b.Get(t, "/read")); got != "falsefine" {
			t.Errorf("read %s; want the broken value absent and the other one there", got)
		}
		if !strings.Contains(log.String(), "test-count-broken") {
			t.Errorf("the log does not name the key: %s", log.String())
		}
		if strings.Contains(log.String(), "secret") {
			t.Errorf("the log quotes the value: %s", log.String())
		}
	})
}

func TestP7_MalformedIdsNeverReachTheStore(t *testing.T) {
	valid := strings.Repeat("A", 43)
	for _, id := range []string{
		"", "x", valid[1:], valid + "A", valid[1:] + "!", valid[1:] + "=", valid[1:] + "B", // B has bits that 32 bytes don't
		strings.Repeat("é", 43), strings.Repeat("A", 1<<16), "../../" + valid[6:], valid[1:] + "\x00",
	} {
		watched, operations := counted(trial.Memory(t))
		b := browse(watched, plainHTTP(), notes)
		w := b.Get(t, "/read", trial.Header("Cookie", "session="+id))
		body(t, w)
		if got := operations(); got != "" {
			t.Errorf("the id %.50q led to: %s", id, got)
		}
		if w.Header().Get("Set-Cookie") != "" {
			t.Errorf("the id %.50q was answered with a cookie", id)
		}
	}
}

func TestP7_AnUnknownIdCostsOneReadAndIsNeverAdopted(t *testing.T) {
	trial.OnEachStore(t, func(t *testing.T, s store.Store) {
		watched, operations := counted(s)
		b := browse(watched, plainHTTP(), notes)
		planted := strings.Repeat("A", 43)
		b.SetCookie("session", planted)

		w := b.Get(t, "/read")
		body(t, w)
		if got := operations(); got != "find" {
			t.Errorf("reading with an unknown id took: %s; want one find", got)
		}
		if w.Header().Get("Set-Cookie") != "" {
			t.Error("reading with an unknown id was answered with a cookie")
		}
		body(t, b.Get(t, "/write"))
		if b.Cookies()["session"] == planted {
			t.Error("an id that somebody made up became a session's (session fixation)")
		}
	})
}

// hoarder is a store that keeps records longer than it is told.
type hoarder struct{ store.Store }

func (s hoarder) Swap(ctx context.Context, id string, prev store.Version, next store.Record) error {
	next.TTL *= 10
	return s.Store.Swap(ctx, id, prev, next)
}

func TestP7_ARecordPastItsDeadlineIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := plainHTTP()
		o.Lifetime = time.Hour
		b := browse(hoarder{trial.Memory(t)}, o, notes)
		b.Get(t, "/write")
		advance(time.Hour - time.Second)
		if got := body(t, b.Get(t, "/read")); got != `"written" true` {
			t.Errorf("before its deadline the session reads %s", got)
		}
		advance(time.Second)
		if got := body(t, b.Get(t, "/read")); got != `"" false` {
			t.Errorf("after its deadline the session reads %s", got)
		}
	})
}

// FuzzRecord: whatever is in the store, decoding it neither panics nor makes a
// record that is encoded otherwise.
func FuzzRecord(f *testing.F) {
	var record []byte
	kept := trial.Intercept(trial.Memory(f), func(op trial.Op, call func() error) error {
		if op.Name == "swap" {
			record = op.Next.Data
		}
		return call()
	})
	m := session.New(kept, plainHTTP())
	token := ""
	for range 3 {
		var err error
		if token, err = m.Do(f.Context(), token, func(ctx context.Context) error {
			session.Login(ctx, "somebody")
			note.Update(ctx, func(s *string) { *s += "x" })
			countText.Set(ctx, "1")
			return nil
		}); err != nil {
			f.Fatal(err)
		}
		f.Add(record)
	}
	for _, edit := range damages {
		f.Add(edit(bytes.Clone(record)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		once, err := session.Reencode(b)
		if err != nil {
			return
		}
		twice, err := session.Reencode(once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("encoded as %x, and that again as %x (%v)", once, twice, err)
		}
	})
}
