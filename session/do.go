package session

import (
	"context"

	"github.com/gosatchel/satchel/internal/exchange"
)

// Do gives fn a session without HTTP: for RPC, messages, jobs, and clients that
// keep the token themselves, in a header for example. token is "" or what an
// earlier Do returned for this client. The same promises hold: fn's changes are
// committed when it returns nil, and dropped when it returns an error or panics.
//
// newToken is what the client has to keep from now on. It is token, unless the
// session was created, renewed or signed in to, or "" if fn ended it. Do returns
// it also with an error, since fn may have committed before.
//
// err is fn's, or that of loading or committing; then see [Err] for what it can
// be. With Options.Outage ReadOnly, fn is called also if the session can't be loaded.
func (m *Manager) Do(ctx context.Context, token string, fn func(ctx context.Context) error) (newToken string, err error) {
	t := new(transaction)
	t.begin(m, ctx)
	ctx = exchange.With(ctx, t)
	var tokens []string
	if wellFormed(token) {
		tokens = []string{token}
	}
	if err := t.load(ctx, tokens); err != nil {
		t.readonly, t.failure = err, err
		if m.options.Outage == Refuse {
			return token, err
		}
	}
	defer func() {
		t.seal()
		newToken = t.tokenAfter(token)
	}()
	returned, committing := false, false
	defer func() {
		if !returned || err != nil {
			t.giveBack(ctx, committing && isStoreError(err))
		}
	}()
	err = fn(ctx)
	returned = true
	if err == nil {
		committing = true
		err = t.commit(ctx, nil)
	}
	if err == nil {
		t.touch(ctx)
		if t.seal() { // a goroutine of fn's was late, but not too late
			err = t.commit(ctx, nil)
		}
	}
	return token, err
}

// tokenAfter returns what a client that came with token has to keep.
func (t *transaction) tokenAfter(token string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.ending != nil:
		return token // the session is still there
	case t.saved != nil:
		return t.ident.token
	case t.obsolete:
		return ""
	}
	return token
}
