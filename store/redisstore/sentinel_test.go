package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/redisstore"
)

// again calls op until it succeeds, as visitors would, and fails the test if that
// takes too long. It returns how many calls failed.
func again(t testing.TB, op func(context.Context) error) (failures int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; failures++ {
		if failures > 0 {
			<-time.After(10 * time.Millisecond) // the servers need the processor to find a new master
		}
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		err := op(ctx)
		cancel()
		if took := time.Since(start); took > time.Second+slack {
			t.Errorf("a call took %v, with a deadline of a second", took)
		}
		if err == nil {
			return failures
		}
		discreet(t, err)
		if time.Now().After(deadline) {
			t.Fatalf("no service after a minute: %v", err)
		}
	}
}

// write stores data under id, whatever is there.
func write(ctx context.Context, s store.Store, id, data string) error {
	var prev store.Version
	r, err := s.Find(ctx, id)
	if err == nil {
		prev = r.Version
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return s.Swap(ctx, id, prev, newRecord(data))
}

func writeAgain(t testing.TB, s store.Store, id, data string) int {
	t.Helper()
	return again(t, func(ctx context.Context) error { return write(ctx, s, id, data) })
}

// An orderly failover turns the master into a replica of its successor, and cuts its
// connections. No call fails for that.
func TestSentinel_FollowsAnOrderlyFailover(t *testing.T) {
	g := redistest.StartSentinel(t, 3, 1)
	s := open(t, g.URL(), noOptions)
	var all sync.WaitGroup
	for i := range 8 { // as many idle connections
		all.Go(func() { create(t, s, fmt.Sprint("id", i), "before") })
	}
	all.Wait()
	master := g.Failover(t)
	for i := range 8 {
		if err := write(within(t, time.Second), s, fmt.Sprint("id", i), "after"); err != nil {
			t.Errorf("write %d after the failover: %v", i, err)
		}
		if found := master.Do(t, "EXISTS", fmt.Sprint(redisstore.DefaultPrefix, "session:id", i)); found != int64(1) {
			t.Errorf("write %d did not reach the new master", i)
		}
	}
}

func TestSentinel_FollowsWhenTheMasterDies(t *testing.T) {
	g := redistest.StartSentinel(t, 3, 2)
	s := open(t, g.URL(), noOptions)
	create(t, s, "id", "before")
	g.Master(t).Kill(t)
	t.Logf("%d calls failed before there was a new master", writeAgain(t, s, "id", "after"))
	if got := find(t, s, "id"); string(got.Data) != "after" {
		t.Errorf("data %q", got.Data)
	}
}

// A master that hangs keeps its connections. Once there is a new one, they are
// closed without being tried one by one.
func TestSentinel_LeavesAMasterThatHangs(t *testing.T) {
	g := redistest.StartSentinel(t, 3, 1)
	s := open(t, g.URL(), noOptions)
	const idle = 40
	var all sync.WaitGroup
	for i := range idle {
		all.Go(func() { create(t, s, fmt.Sprint("id", i), "before") })
	}
	all.Wait()
	old := g.Master(t)
	old.Freeze(t)
	failures := writeAgain(t, s, "id0", "after")
	if failures > 15 {
		t.Errorf("%d calls waited for the old master", failures)
	}
	for i := range idle {
		if err := write(within(t, time.Second), s, fmt.Sprint("id", i), "after"); err != nil {
			t.Fatalf("write %d after the failover: %v", i, err)
		}
	}
	old.Thaw(t)
	for i := range idle {
		if err := write(within(t, time.Second), s, fmt.Sprint("id", i), "later"); err != nil {
			t.Fatalf("write %d after the old master came back: %v", i, err)
		}
	}
}

func TestSentinel_OneThatAnswersIsEnough(t *testing.T) {
	g := redistest.StartSentinel(t, 4, 1)
	all := g.Sentinels()
	all[0].Kill(t)
	all[1].Freeze(t)
	all[2].Kill(t)
	s := open(t, g.URL(), noOptions)
	if err := s.Ping(within(t, time.Second)); err != nil {
		t.Errorf("with one sentinel of four: %v", err)
	}
	all[3].Kill(t)
	if err := s.Ping(within(t, time.Second)); err != nil {
		t.Errorf("without a sentinel, over the connection that is there: %v", err)
	}
	s = open(t, g.URL(), noOptions)
	err := s.Ping(within(t, time.Second))
	if err == nil || !strings.Contains(err.Error(), all[0].Addr()) {
		t.Errorf("%v, want an error that names the sentinels", err)
	}
	if err := s.Swap(within(t, time.Second), "id", store.Version{}, newRecord("")); !errors.Is(err, store.ErrNotApplied) {
		t.Errorf("%v, want ErrNotApplied", err)
	}
}

func TestSentinel_SaysWhatIsWrong(t *testing.T) {
	g := redistest.StartSentinel(t, 1, 0, "--requirepass", secretPassword)
	hosts := strings.Join(g.Addrs(), ",")
	for url, says := range map[string]string{
		"redis+sentinel://:" + secretPassword + "@" + hosts + "/other":                                        "no master of the name",
		"redis+sentinel://" + hosts + "/" + g.Name():                                                          "wants a password",
		"redis+sentinel://:secret-wrong@" + hosts + "/" + g.Name():                                            "refused the user name or the password",
		"redis+sentinel://:" + secretPassword + "@" + g.Nodes()[0].Addr() + "/" + g.Name():                    "unknown command",
		"redis+sentinel://:" + secretPassword + "@" + hosts + "/" + g.Name() + "/99":                          "out of range",
		"redis+sentinel://:" + secretPassword + "@" + hosts + "/" + g.Name() + "?sentinel_password=secret-pw": "AUTH",
	} {
		err := open(t, url, noOptions).Ping(within(t, time.Second))
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want an error with %q", url, err, says)
		}
		discreet(t, err)
	}
	s := open(t, "redis+sentinel://:"+secretPassword+"@"+hosts+"/"+g.Name()+"/3", noOptions)
	create(t, s, "id", "data")
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// A sentinel that was cut off, or asked at the wrong moment, names a server that is a
// replica. The next one knows better.
func TestSentinel_AReplicaIsNoMaster(t *testing.T) {
	g := redistest.StartSentinel(t, 2, 1)
	all, nodes := g.Sentinels(), g.Nodes()
	names := func(sentinel, node *redistest.Server) {
		host, port, _ := net.SplitHostPort(node.Addr())
		sentinel.Do(t, "SENTINEL", "MONITOR", "other", host, port, 2)
	}
	names(all[0], nodes[1])
	misled := open(t, "redis+sentinel://"+all[0].Addr()+"/other", noOptions)
	if err := misled.Ping(within(t, time.Second)); err == nil || !strings.Contains(err.Error(), "it is a replica") {
		t.Errorf("%v, want an error that says that it is a replica", err)
	}
	names(all[1], nodes[0])
	s := open(t, "redis+sentinel://"+all[0].Addr()+","+all[1].Addr()+"/other", noOptions)
	create(t, s, "id", "data")
}

// A master that is cut off from its replicas and from the sentinels answers the app as
// ever, while another one has taken over. Nothing fails, and it is left all the same,
// with all its connections.
func TestSentinel_LeavesAMasterThatWasReplacedBehindItsBack(t *testing.T) {
	g := redistest.StartSentinel(t, 1, 0)
	sentinel, successor := g.Sentinels()[0], redistest.Start(t)
	monitor := func(node *redistest.Server) {
		host, port, _ := net.SplitHostPort(node.Addr())
		sentinel.Do(t, "SENTINEL", "MONITOR", "other", host, port, 1)
	}
	monitor(g.Nodes()[0])
	s := open(t, "redis+sentinel://"+sentinel.Addr()+"/other", noOptions)
	for i := range 5 {
		create(t, s, fmt.Sprint("id", i), "data")
	}
	sentinel.Do(t, "SENTINEL", "REMOVE", "other")
	monitor(successor)
	for deadline := time.Now().Add(10 * time.Second); successor.Do(t, "DBSIZE") == int64(0); {
		if time.Now().After(deadline) {
			t.Fatal("the former master is still written to after ten seconds")
		}
		writeAgain(t, s, "id", "data")
	}
	before := g.Nodes()[0].Do(t, "DBSIZE")
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() { writeAgain(t, s, fmt.Sprint("new", i), "data") })
	}
	all.Wait()
	if after := g.Nodes()[0].Do(t, "DBSIZE"); after != before {
		t.Errorf("the former master has %v records, and had %v", after, before)
	}
}

// However many requests fail, the sentinels are asked a few times.
func TestSentinel_FailuresAskSeldom(t *testing.T) {
	g := redistest.StartSentinel(t, 1, 0)
	p := redistest.NewProxy(t, g.Sentinels()[0].Addr())
	s := open(t, "redis+sentinel://"+p.Addr()+"/"+g.Name(), noOptions)
	g.Master(t).Kill(t)
	p.Trips()
	began, calls := time.Now(), 0
	for ; time.Since(began) < time.Second; calls++ {
		if err := s.Ping(within(t, time.Second)); err == nil {
			t.Fatal("a server that was killed answers")
		}
	}
	most := int(time.Since(began)/(250*time.Millisecond)) + 2
	if n := p.Trips(); n > most || most > calls/2 {
		t.Errorf("%d calls asked %d times, want %d at most", calls, n, most)
	}
}

// While all is well they are asked once a second.
func TestSentinel_SuccessesAskSeldom(t *testing.T) {
	g := redistest.StartSentinel(t, 1, 0)
	p := redistest.NewProxy(t, g.Sentinels()[0].Addr())
	s := open(t, "redis+sentinel://"+p.Addr()+"/"+g.Name(), noOptions)
	began := time.Now()
	for range 500 {
		if err := s.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n, most := p.Trips(), int(time.Since(began)/time.Second)+2; n > most {
		t.Errorf("500 calls in %v asked %d times, want %d at most", time.Since(began), n, most)
	}
}

// However little time one connection has, others are asked when a sentinel says nothing.
func TestSentinel_ASilentOneIsPassedByWithAShortDialTimeout(t *testing.T) {
	g := redistest.StartSentinel(t, 3, 0)
	g.Sentinels()[0].Freeze(t)
	g.Sentinels()[1].Freeze(t)
	s := open(t, g.URL()+"?dial_timeout=200ms", noOptions)
	if err := s.Ping(within(t, 2*time.Second)); err != nil {
		t.Error(err)
	}
}

// A master that is well goes on to serve when nobody watches it any more, also over new
// connections.
func TestSentinel_OutlivesTheSentinels(t *testing.T) {
	for name, end := range map[string]func(*redistest.Server){
		"killed": func(s *redistest.Server) { s.Kill(t) },
		"frozen": func(s *redistest.Server) { s.Freeze(t) },
	} {
		g := redistest.StartSentinel(t, 2, 0)
		s := open(t, g.URL()+"?conn_lifetime=1ns", noOptions) // each call has a new connection
		create(t, s, "id", "data")
		for _, sentinel := range g.Sentinels() {
			end(sentinel)
		}
		for began := time.Now(); time.Since(began) < time.Second; { // longer than any answer counts
			if _, err := s.Find(within(t, 2*time.Second), "id"); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		g.Nodes()[0].Do(t, "REPLICAOF", "127.0.0.1", "1")
		for end := time.Now().Add(5 * time.Second); ; { // an answer counts for a moment
			if _, err := s.Find(within(t, 2*time.Second), "id"); err != nil {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%s: what is no master any more is taken for one", name)
			}
		}
	}
}
