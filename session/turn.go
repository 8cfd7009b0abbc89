package session

import "errors"

// A turn lets one goroutine of a request at a time commit.
type turn struct {
	taken bool
	free  chan struct{} // closed when the turn is given back, if somebody waits
}

// lockCommits waits for another commit of the same transaction, but not for
// ever: an Update that calls Commit would wait for itself.
func (t *transaction) lockCommits(a *attempt) error {
	for {
		t.mu.Lock()
		if !t.committing.taken {
			t.committing.taken = true
			t.mu.Unlock()
			return nil
		}
		if t.committing.free == nil {
			t.committing.free = make(chan struct{})
		}
		free := t.committing.free
		t.mu.Unlock()
		select {
		case <-free:
		case <-a.writing.Done():
			return &StoreError{a.op, errors.New("another commit of this request did not come to an end; does an Update function commit?")}
		}
	}
}

func (t *transaction) unlockCommits() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.committing.free != nil {
		close(t.committing.free)
	}
	t.committing = turn{}
}
