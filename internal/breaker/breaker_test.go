package breaker_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosatchel/satchel/internal/breaker"
)

const (
	patience = 2 * time.Second
	moment   = 200 * time.Millisecond
)

// open returns a breaker that is open, and whose probes end as found says after a while.
// In a bubble.
func open(t *testing.T, after time.Duration, found breaker.Finding) *breaker.Breaker {
	t.Helper()
	var b *breaker.Breaker
	b = breaker.New(func(p breaker.Pass) {
		time.Sleep(after)
		b.Settle(p, found)
	}, patience, moment)
	for n := range breaker.MaxStrikes {
		p, ok := b.Enter(t.Context())
		if !ok {
			t.Fatalf("it is open after %d strikes", n)
		}
		want := breaker.Stayed
		if n == breaker.MaxStrikes-1 {
			want = breaker.Opened
		}
		if turn, _ := b.Settle(p, breaker.Strike); turn != want {
			t.Fatalf("strike %d: turn %d, want %d", n, turn, want)
		}
	}
	return b
}

// Who causes the probe waits for it, for a moment and no longer than its context allows,
// and goes through if that closes the breaker.
func TestEnter_WaitsForItsProbe(t *testing.T) {
	for name, c := range map[string]struct {
		probe   time.Duration
		context time.Duration
		waits   time.Duration
		enters  bool
	}{
		"that answers":            {moment / 2, time.Hour, moment / 2, true},
		"that takes longer":       {moment * 2, time.Hour, moment, false},
		"without a moment's time": {moment / 2, moment / 4, moment / 4, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := open(t, c.probe, breaker.Answered)
				ctx, cancel := context.WithTimeout(t.Context(), c.context)
				defer cancel()
				began := time.Now()
				if _, ok := b.Enter(ctx); ok != c.enters {
					t.Errorf("entered: %t", ok)
				}
				if took := time.Since(began); took != c.waits {
					t.Errorf("it waited %v, want %v", took, c.waits)
				}
				time.Sleep(patience)
				if _, ok := b.Enter(t.Context()); !ok {
					t.Error("it is open after a probe that was answered")
				}
			})
		})
	}
}

// One probe is under way at a time, and nobody else waits for it.
func TestEnter_OneProbeAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, patience, breaker.Strike)
		b.Enter(t.Context())
		began := time.Now()
		for range 100 {
			if _, ok := b.Enter(t.Context()); ok {
				t.Fatal("it is not open")
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("others waited %v", took)
		}
		time.Sleep(patience)
		began = time.Now()
		b.Enter(t.Context())
		if took := time.Since(began); took != moment {
			t.Errorf("when it had ended, the next one waited %v, want %v", took, moment)
		}
		time.Sleep(patience)
	})
}

// What began before something was answered is no news.
func TestSettle_OldNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := breaker.New(nil, patience, moment)
		var early []breaker.Pass
		for range 2 * breaker.MaxStrikes {
			early = append(early, b.Free())
		}
		time.Sleep(time.Second)
		if !b.Noted(b.Free()) {
			t.Error("there is more to do for an answer without strikes")
		}
		for _, p := range early {
			if turn, _ := b.Settle(p, breaker.Strike); turn != breaker.Stayed {
				t.Fatal("it opens for what began before the answer")
			}
		}
	})
}
