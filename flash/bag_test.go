package flash_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/internal/trial"
)

type receipt struct {
	Number int
	Items  []string
}

var (
	receipts = flash.NewBag[receipt]("test-receipts")
	brief    = flash.NewBag[int]("test-brief", flash.Expiry(time.Minute), flash.Most(3))
)

func TestBag_CarriesValuesOfItsType(t *testing.T) {
	b := browse(trial.Memory(t), pages{
		"/add": func(w http.ResponseWriter, r *http.Request) {
			receipts.Add(r.Context(), receipt{7, []string{"lime"}})
			flash.Info(r.Context(), "in another bag")
		},
		"/take": func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, receipts.Take(r.Context())) },
	})
	b.Get(t, "/add")
	for _, want := range []string{"[{7 [lime]}]", "[]"} {
		if got := b.Get(t, "/take").Body.String(); got != want {
			t.Errorf("took %s, want %s", got, want)
		}
	}
}

func TestBag_ExpiresAndIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		b := browse(trial.Memory(t), pages{
			"/add":  func(w http.ResponseWriter, r *http.Request) { n++; brief.Add(r.Context(), n) },
			"/peek": func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, brief.Peek(r.Context())) },
		})
		for range 5 {
			b.Get(t, "/add")
		}
		if got := b.Get(t, "/peek").Body.String(); got != "[3 4 5]" {
			t.Errorf("a bag for three holds %s; the oldest are to go first", got)
		}
		time.Sleep(59 * time.Second) // the bubble's clock
		b.Get(t, "/add")
		time.Sleep(time.Second)
		if got := b.Get(t, "/peek").Body.String(); got != "[6]" {
			t.Errorf("after a minute the bag holds %s, want what was added later", got)
		}
	})
}

func TestBag_WhatGoesBackIsBoundedToo(t *testing.T) {
	n := 0
	b := browse(trial.Memory(t), pages{
		"/add": func(w http.ResponseWriter, r *http.Request) { n++; brief.Add(r.Context(), n) },
		"/redirect": func(w http.ResponseWriter, r *http.Request) {
			brief.Take(r.Context())
			brief.Add(r.Context(), 4)
			http.Redirect(w, r, "/", http.StatusSeeOther)
		},
		"/peek": func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, brief.Peek(r.Context())) },
	})
	for range 3 {
		b.Get(t, "/add")
	}
	b.Get(t, "/redirect")
	if got := b.Get(t, "/peek").Body.String(); got != "[2 3 4]" {
		t.Errorf("a bag for three holds %s", got)
	}
}

func TestBag_LimitsHaveToBePositive(t *testing.T) {
	for _, option := range []flash.Option{flash.Expiry(0), flash.Most(-1)} {
		func() {
			defer func() {
				if v := recover(); v == nil || !strings.Contains(fmt.Sprint(v), "positive") {
					t.Errorf("the panic says %v", v)
				}
			}()
			flash.NewBag[int]("test-limits", option)
		}()
	}
}

func TestTake_WithNothingPendingCostsNothing(t *testing.T) {
	var operations []string
	watched := trial.Intercept(trial.Memory(t), func(op trial.Op, call func() error) error {
		operations = append(operations, op.Name)
		return call()
	})
	b := browse(watched, pages{"/add": add, "/take": take})
	w := b.Get(t, "/take")
	if w.Header().Get("Set-Cookie") != "" || operations != nil {
		t.Errorf("a visitor without a session: %q, %v", w.Header().Get("Set-Cookie"), operations)
	}
	b.Get(t, "/add?a")
	b.Get(t, "/take")
	operations = nil
	w = b.Get(t, "/take")
	if w.Header().Get("Set-Cookie") != "" || !slices.Equal(operations, []string{"find"}) {
		t.Errorf("a visitor with a session: %q, %v", w.Header().Get("Set-Cookie"), operations)
	}
}

func TestNow_IsForThisResponseAlone(t *testing.T) {
	b := browse(trial.Memory(t), pages{
		"/now": func(w http.ResponseWriter, r *http.Request) {
			flash.Now(r.Context(), flash.Message{Level: flash.LevelError, Text: "now"})
			show(w, flash.Peek(r.Context()))
			w.Write([]byte(" "))
			show(w, flash.Take(r.Context()))
			w.Write([]byte(" "))
			show(w, flash.Take(r.Context()))
		},
		"/add": add, "/take": take,
	})
	w := b.Get(t, "/now")
	if got := shown(w); !slices.Equal(got, []string{"now", "now"}) {
		t.Errorf("Peek and Take show %v", got)
	}
	if w.Header().Get("Set-Cookie") != "" {
		t.Error("Now is never stored, and needs no cookie")
	}
	if got := shown(b.Get(t, "/take")); len(got) != 0 {
		t.Errorf("the next page shows %v", got)
	}
	b.Get(t, "/add?earlier")
	if got := shown(b.Get(t, "/now")); !slices.Equal(got, []string{"earlier", "now", "earlier", "now"}) {
		t.Errorf("with one that waited, the page shows %v", got)
	}
}

func TestMessages_MarshalToAListAndHaveARole(t *testing.T) {
	b := browse(trial.Memory(t), pages{
		"/add": func(w http.ResponseWriter, r *http.Request) {
			flash.Success(r.Context(), "fine")
			flash.Error(r.Context(), "<b>bad</b>")
			flash.Warning(r.Context(), "careful")
		},
		"/take": func(w http.ResponseWriter, r *http.Request) {
			messages := flash.Take(r.Context())
			for _, m := range messages {
				fmt.Fprint(w, m.Role(), " ")
			}
			json.NewEncoder(w).Encode(messages)
		},
	})
	if got := b.Get(t, "/take").Body.String(); got != "[]\n" {
		t.Errorf("no messages marshal to %s", got)
	}
	b.Get(t, "/add")
	want := `status alert status [{"level":"success","text":"fine"},{"level":"error","text":"\u003cb\u003ebad\u003c/b\u003e"},{"level":"warning","text":"careful"}]` + "\n"
	if got := b.Get(t, "/take").Body.String(); got != want {
		t.Errorf("the messages marshal to\n%s want\n%s", got, want)
	}
}
