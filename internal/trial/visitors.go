package trial

import (
	"fmt"
	"net/http"
	"sync"
)

// A collector adds numbers to a session, two at a time, and signs in now and then,
// which renews its id.
type collector struct {
	crowd *Crowd
	user  string
	steps int

	// renewalLost says that a renewal had an unknown outcome. It may have ended the
	// session, and nobody got the id under which it goes on.
	renewalLost bool

	mu     sync.Mutex
	cookie string
	told   map[int]answer
}

func (v *collector) current() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.cookie
}

func (v *collector) step() {
	var all sync.WaitGroup
	all.Go(v.add)
	all.Go(v.add)
	all.Go(func() { v.crowd.look(v.current()) })
	all.Wait()
	if v.steps++; v.steps%3 != 0 {
		return
	}
	all.Go(v.add)
	a := v.crowd.request("/in", v.current(), "user=", v.user)
	all.Wait()
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case a.status == http.StatusOK && a.cookie != nil:
		v.cookie = *a.cookie
	case a.status == http.StatusOK:
		v.crowd.t.Error("a sign-in was acknowledged without a cookie")
	case a.unknown():
		v.renewalLost = true
	}
}

func (v *collector) add() {
	n := int(v.crowd.number.Add(1))
	a := v.crowd.request("/add", v.current(), "n=", fmt.Sprint(n))
	v.crowd.note(a)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.told[n] = a
	if a.cookie != nil {
		v.cookie = *a.cookie // the session is new
	}
}

func (v *collector) check(lossy bool) {
	t := v.crowd.t
	t.Helper()
	times := map[int]int{}
	for _, n := range v.crowd.request("/look", v.cookie).seen().Numbers {
		times[n]++
	}
	for n, a := range v.told {
		least, most := 0, 0
		switch {
		case a.status == http.StatusOK:
			least, most = 1, 1
		case a.unknown():
			most = 1
		}
		if lossy || v.renewalLost {
			least = 0
		}
		if got := times[n]; got < least || got > most {
			t.Errorf("%s: a change that was answered with %d (unknown: %v) is there %d times", v.user, a.status, a.unknown(), got)
		}
	}
}

// A guest signs in and out again. While it signs out, it adds a number.
type guest struct {
	crowd  *Crowd
	user   string
	cookie string   // "" while it is signed out
	gone   []string // what it has signed out of
	unsure bool     // a logout had an unknown outcome
}

func (v *guest) current() string { return v.cookie }

func (v *guest) step() {
	if v.cookie == "" {
		if a := v.crowd.request("/in", "", "user=", v.user); a.status == http.StatusOK && a.cookie != nil {
			v.cookie, v.unsure = *a.cookie, false
		}
		return
	}
	var straggler sync.WaitGroup
	straggler.Go(func() { v.crowd.request("/add", v.cookie, "n=1") })
	a := v.crowd.request("/out", v.cookie)
	straggler.Wait()
	switch {
	case a.status == http.StatusOK:
		v.gone = append(v.gone, v.cookie)
		v.cookie = ""
	case a.unknown():
		v.unsure = true
	}
}

func (v *guest) check(lossy bool) {
	t := v.crowd.t
	t.Helper()
	for _, cookie := range v.gone {
		if s := v.crowd.request("/look", cookie).seen(); s.User != "" || len(s.Numbers) > 0 {
			t.Errorf("%s: a session is back that was signed out of", v.user)
		}
	}
	if v.cookie == "" || v.unsure || lossy {
		return
	}
	if s := v.crowd.request("/look", v.cookie).seen(); s.User != v.user {
		t.Errorf("%s: signed in, and never out, and now it is %q", v.user, s.User)
	}
}
