package session

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/gosatchel/satchel/store"
)

// takeOver gives a request without a session that of the old library whose cookie it
// carries, if there is one. A nil error means that the request can go on, be it with
// an empty session.
func (t *transaction) takeOver(ctx context.Context, r *http.Request) error {
	cookies := t.manager.options.Import.cookies(r)
	if len(cookies) == 0 {
		return nil
	}
	a := t.attempt(ctx, "import")
	defer a.writing.end()
	for _, cookie := range cookies {
		found, err := a.takeOver(r, cookie)
		if errors.Is(err, ErrUnknown) {
			// A later request finds out. Nothing of the visitor's hangs on it.
			err = &StoreError{a.op, errors.New("the store did not say how far it came")}
		}
		if found || err != nil {
			return err
		}
	}
	return nil
}

// takeOver does it for one cookie, and reports whether it leads to a session.
//
// The receipt comes first, then the session, and then the receipt is sealed. Whoever
// comes upon one that is not sealed does the rest, so it does not matter who stops where.
func (a *attempt) takeOver(r *http.Request, cookie string) (found bool, err error) {
	known, imported, err := a.register(r, cookie)
	if errors.Is(err, errDamagedReceipt) {
		a.t.log(slog.LevelError, errDamagedReceipt.Error())
		return false, nil
	}
	if known == nil || err != nil {
		return false, err
	}
	c := a.candidate(*known, imported)
	if c.ident.token == "" {
		a.t.log(slog.LevelError, errDamagedReceipt.Error())
		return false, nil
	}
	if err := a.locate(&c); err != nil {
		return false, err
	}
	if c.record == nil && !known.sealed() {
		if err := a.complete(&c, r, cookie); err != nil {
			return false, err
		}
	}
	if c.record == nil {
		return false, nil // it has ended, and its marker is gone
	}
	if err := a.seal(*known); err != nil {
		return false, err
	}
	return a.t.join(c), nil
}

// A candidate is the session that an old cookie leads to.
type candidate struct {
	receipt  receipt
	imported *imported // nil if the old library was not asked
	ident    identity
	record   *record // nil if it is not there
	left     time.Duration
}

func (a *attempt) candidate(known receipt, imported *imported) candidate {
	c := candidate{receipt: known, imported: imported}
	if c.ident.token = known.token(a.m); c.ident.token != "" {
		c.ident.id = hashed(a.m.options.Cookie.Name, c.ident.token)
	}
	return c
}

// errDamagedReceipt means that it is not known what became of an old session.
var errDamagedReceipt = errors.New("session: the receipt of an old session is damaged; the visitor has an empty session")

// register returns the receipt for a cookie. Where there is none, it asks the old
// library, and writes one if that knows a session.
func (a *attempt) register(r *http.Request, cookie string) (*receipt, *imported, error) {
	old := byCookie(cookie)
	known, err := a.findReceipt(old)
	if known != nil || err != nil {
		return known, nil, err
	}
	imported, err := a.ask(r, cookie)
	if imported == nil || err != nil {
		return nil, nil, err
	}
	if imported.id != "" {
		old = byID(imported.id)
	}
	known, err = a.writeReceipt(old, imported)
	return known, imported, err
}

// locate looks for the session, unless it most likely is for this request to create.
func (a *attempt) locate(c *candidate) error {
	if c.imported != nil && !c.receipt.sealed() {
		return nil
	}
	ident, r, left, err := a.m.engine.find(&a.writing, c.ident.token)
	switch {
	case err == nil:
		c.ident, c.record, c.left = ident, r, left
	case errors.Is(err, errCorrupt), errors.Is(err, store.ErrDamaged):
		a.t.log(slog.LevelError, "session: a damaged record was ignored; the visitor has an empty session")
	case !errors.Is(err, store.ErrNotFound):
		return &StoreError{a.op, err}
	}
	return nil
}

// complete creates the session, if the old library still knows it.
func (a *attempt) complete(c *candidate, r *http.Request, cookie string) (err error) {
	if c.imported == nil {
		if c.imported, err = a.ask(r, cookie); c.imported == nil || err != nil {
			return err
		}
	}
	c.record, err = a.createAs(c.ident, c.imported.record)
	return err
}

// join makes the session that was taken over that of the request, and reports
// whether it may be.
func (t *transaction) join(c candidate) bool {
	r, fresh := c.record, c.receipt.fresh()
	switch {
	case r.ended && fresh:
		t.readonly = endedBy(r) // like any straggler
	case r.ended, !fresh && !r.unclaimed, !time.Now().Before(r.deadline):
		return false
	case c.receipt.old.byID() && c.imported != nil && c.imported.record.user != r.user && r.user != "":
		// Of the same cookie that is somebody who signed in at an old instance at that
		// moment. Of an ID, it may be another session, to which the old library gave it
		// again.
		return false
	default:
		t.ident, t.saved, t.view, t.left = c.ident, r, r, c.left
		t.held, t.presented, t.tookOver = true, false, true
	}
	return true
}

// findReceipt returns the receipt of old, or nil if there is none.
func (a *attempt) findReceipt(old oldSession) (*receipt, error) {
	found, err := a.m.store.Find(&a.writing, old.hashed(a.m))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	var r *record
	if err == nil {
		r, err = decodeCurrent(found)
	}
	switch {
	case err == nil && r != nil:
		return &receipt{old, r}, nil
	case err == nil, errors.Is(err, store.ErrDamaged):
		return nil, errDamagedReceipt
	}
	return nil, &StoreError{a.op, err}
}

// writeReceipt returns the receipt of old, which it writes if there is none.
func (a *attempt) writeReceipt(old oldSession, i *imported) (*receipt, error) {
	ident, err := a.m.engine.fresh(a.ctx)
	if err != nil {
		return nil, err
	}
	mine := newReceipt(old, i.until)
	mine.leadTo(a.m, ident.token)
	_, current, err := a.swap(identity{id: old.hashed(a.m)}, nil, mine.record)
	switch {
	case err == nil && current == nil, errors.Is(err, store.ErrDamaged):
		return nil, errDamagedReceipt
	case err != nil:
		return nil, err
	}
	return &receipt{old, current}, nil
}

// createAs stores next under ident, and returns what is there then: next, or what
// another request has made of it already. Nothing is removed if that fails, because the
// id is not this request's own.
func (a *attempt) createAs(ident identity, next *record) (*record, error) {
	if next.user != "" {
		next.ref = refFor(ident.token)
	}
	next.version = newVersion()
	if err := a.index(ident.id, nil, next); err != nil {
		return nil, err
	}
	_, current, err := a.swap(ident, nil, next)
	if err == nil && current != nil && current.user != next.user {
		a.unindex(persisted{ident, next}) // somebody signed in at an old instance at that moment
	}
	return current, err
}

// claim notes that the browser has the cookie of a session that was taken over, so
// that the old one leads here no more. If it fails, the next request does it.
func (t *transaction) claim(ctx context.Context) {
	next := t.saved.clone()
	next.unclaimed = false
	next.version = newVersion()
	next.follow(t.saved)
	ttl := t.manager.timeToLive(next)
	if ttl > 0 && t.manager.engine.swap(ctx, t.ident, t.saved.version, next, ttl) == nil {
		t.saved, t.view, t.left = next, next, 0
	}
}
