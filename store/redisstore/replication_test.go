package redisstore_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mna/redisc"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/store"
)

func TestWaitReplicas_AWriteCountsWhenReplicasHaveIt(t *testing.T) {
	master := redistest.Start(t)
	replica := redistest.StartReplica(t, master)
	p := redistest.NewProxy(t, master.Addr())
	s := open(t, p.URL()+"?wait_replicas=1&wait_timeout=200ms", noOptions)
	writeAgain(t, s, "id", "data") // the master learns of the replica a moment after the replica does
	r := find(t, s, "id")
	if replica.Do(t, "EXISTS", "satchel:session:id") != int64(1) {
		t.Error("the replica does not have what was written")
	}
	p.Trips()
	next := newRecord("next")
	if err := s.Swap(t.Context(), "id", r.Version, next); err != nil {
		t.Fatal(err)
	}
	if n := p.Trips(); n != 1 {
		t.Errorf("a Swap took %d round trips, want 1", n)
	}

	replica.Freeze(t)
	unconfirmed := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, store.ErrUnconfirmed) || errors.Is(err, store.ErrNotApplied) {
			t.Errorf("%s without a replica that answers: %v, want ErrUnconfirmed", what, err)
		}
		discreet(t, err)
	}
	last := newRecord("last")
	began := time.Now()
	unconfirmed("Swap", s.Swap(t.Context(), "id", next.Version, last))
	if took := time.Since(began); took < 200*time.Millisecond || took > 200*time.Millisecond+slack {
		t.Errorf("a Swap waited %v for replicas, want 200 ms", took)
	}
	unconfirmed("Index", s.Index(t.Context(), secretOwner, secretRef, secretID, time.Hour))
	if got := find(t, s, "id"); string(got.Data) != "last" {
		t.Errorf("data %q, want what was written and not confirmed", got.Data)
	}
	began = time.Now()
	if err := s.Swap(within(t, 100*time.Millisecond), "id", last.Version, r); !errors.Is(err, store.ErrUnconfirmed) {
		t.Errorf("with less time than wait_timeout: %v, want ErrUnconfirmed all the same", err)
	}
	if took := time.Since(began); took > 100*time.Millisecond {
		t.Errorf("it took %v, with a deadline of 100 ms", took)
	}

	// What writes nothing waits for nobody.
	began = time.Now()
	var met *store.Conflict
	if err := s.Swap(t.Context(), "id", last.Version, next); !errors.As(err, &met) {
		t.Errorf("%v, want a conflict", err)
	}
	if err := s.Swap(t.Context(), "none", last.Version, next); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%v, want ErrNotFound", err)
	}
	if took := time.Since(began); took > 100*time.Millisecond {
		t.Errorf("two Swaps that wrote nothing took %v", took)
	}
	// A command sent twice finds its own work, of which it knows no more.
	p.DropReply()
	unconfirmed("a Swap whose reply was lost", s.Swap(t.Context(), "id", r.Version, next))
	replica.Thaw(t)
	if err := s.Swap(t.Context(), "id", next.Version, last); err != nil {
		t.Errorf("when the replica answers again: %v", err)
	}
	p.Trips()
	if err := s.Swap(t.Context(), "id", last.Version, next); err != nil {
		t.Error(err)
	}
	if n := p.Trips(); n != 1 {
		t.Errorf("then a Swap took %d round trips, want 1", n)
	}
}

func TestWaitReplicas_MoreThanThereAre(t *testing.T) {
	s := open(t, redistest.Shared(t).URL()+"?wait_replicas=3&wait_timeout=20ms&prefix="+redistest.Prefix(t), noOptions)
	err := s.Swap(t.Context(), "id", store.Version{}, newRecord(""))
	if !errors.Is(err, store.ErrUnconfirmed) || !strings.Contains(err.Error(), "too few replicas") {
		t.Errorf("%v, want an error that says so", err)
	}
}

// A slot that is moving asks for the write to be announced first. Its replicas are
// those of the new master.
func TestWaitReplicas_WhileASlotMoves(t *testing.T) {
	c := redistest.StartCluster(t, 3, 1)
	s := open(t, c.URL()+"?wait_replicas=1&wait_timeout=200ms", noOptions)
	id := idsOn(1, false)[0]
	writeAgain(t, s, id, "before")
	slot := slotOf(id)
	from, to := c.Master(t, slot), c.Master(t, redisc.HashSlots-1)
	replica := c.Replicas(t, to)[0]
	c.MoveSlot(t, slot, to, func() {
		// Its only key has moved, and the slot has not.
		writeAgain(t, s, id, "half-way")
		former := c.Replicas(t, from)[0]
		former.Freeze(t)
		defer former.Thaw(t) // Valkey moves no slot without its replicas' word
		if err := write(within(t, time.Second), s, id, "again"); err != nil {
			t.Errorf("where the old master's replica is late: %v", err)
		}
		replica.Freeze(t)
		if err := write(within(t, time.Second), s, id, "last"); !errors.Is(err, store.ErrUnconfirmed) {
			t.Errorf("where the new master's replica is late: %v, want ErrUnconfirmed", err)
		}
		replica.Thaw(t)
		var met *store.Conflict
		if err := s.Swap(t.Context(), id, newRecord("").Version, newRecord("")); !errors.As(err, &met) || string(met.Current.Data) != "last" {
			t.Errorf("%v, want a conflict with what was written last", err)
		}
	})
	if got := find(t, s, id); string(got.Data) != "last" {
		t.Errorf("data %q", got.Data)
	}
}
