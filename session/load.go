package session

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/gosatchel/satchel/store"
)

// find finds the session of a request, here or in the old library.
func (t *transaction) find(ctx context.Context, r *http.Request, tokens []string) error {
	err := t.load(ctx, tokens)
	if err == nil && t.manager.options.Import != nil && t.saved == nil && t.readonly == nil {
		return t.takeOver(ctx, r)
	}
	return err
}

// load finds the session of the tokens that a request carries, of which there
// is more than one only where a cookie was planted. It costs one read per token,
// and none if there is none.
//
// A nil error means that the request can go on, be it with an empty session. The
// id of a session that is not there is never used for a new one.
func (t *transaction) load(ctx context.Context, tokens []string) error {
	if len(tokens) == 0 {
		return nil
	}
	now := time.Now()
	loading := patience{Context: ctx, until: now.Add(t.manager.options.StoreTimeout)}
	defer loading.end()
	for _, token := range tokens {
		ident, r, left, err := t.manager.engine.find(&loading, token)
		switch {
		case errors.Is(err, store.ErrNotFound):
			continue
		case errors.Is(err, errCorrupt), errors.Is(err, store.ErrDamaged):
			t.log(slog.LevelError, "session: a damaged record was ignored; the visitor has an empty session")
			continue
		case err != nil:
			t.saved, t.view = nil, nil
			return &StoreError{"load", err}
		case r.ended && t.saved == nil:
			t.readonly, t.endedElsewhere = endedBy(r), &persisted{ident, r}
		case r.ended, !now.Before(r.deadline):
			continue
		case t.saved != nil:
			t.ident, t.saved, t.view = identity{}, nil, nil
			t.readonly = ErrAmbiguous
			return nil
		default:
			t.ident, t.saved, t.view, t.left = ident, r, r, left
			t.presented, t.held = true, true
			t.readonly = nil
		}
	}
	if t.saved != nil && t.saved.unclaimed {
		t.claim(&loading)
	}
	return nil
}

// endedBy returns the error that says how the session of a marker came to its
// end. Where there is not even a marker any more, that is not known.
func endedBy(marker *record) error {
	switch {
	case marker == nil:
		return errGone
	case marker.moved:
		return errMoved
	}
	return ErrEnded
}

// reload replaces what is known of the session by what is in the store. Changes
// that are not committed yet stay.
func (t *transaction) reload(ctx context.Context) error {
	t.mu.Lock()
	t.accessed = true
	token, readonly, exists := t.ident.token, t.readonly, t.saved != nil
	t.mu.Unlock()
	if readonly != nil || !exists {
		return readonly
	}

	a := t.attempt(ctx, "reload")
	defer a.writing.end()
	if err := t.lockCommits(a); err != nil {
		return err
	}
	ident, r, left, err := t.manager.engine.find(&a.writing, token)
	gone := errors.Is(err, store.ErrNotFound) || errors.Is(err, errCorrupt) || errors.Is(err, store.ErrDamaged)
	if err != nil && !gone {
		t.unlockCommits()
		return &StoreError{"reload", err}
	}
	t.mu.Lock()
	if gone || r.ended {
		t.endedByOthers(endedBy(r))
	} else {
		t.ident, t.saved, t.left = ident, r, left
	}
	err = t.readonly
	t.mu.Unlock()
	t.rebase()
	t.unlockCommits()
	if err == nil {
		t.touch(ctx)
	}
	return err
}
