package session

import (
	"errors"
	"net/http"
)

// renounce sees to it that after a logout nobody is taken over who comes with a cookie of
// the old library that came with it. It does what a request with that cookie would, and
// ends at once what comes of it: so others who do the same at this moment, in any process
// and at any step, find that it has ended.
func (a *attempt) renounce(r *http.Request, cookie string) error {
	known, imported, err := a.register(r, cookie)
	if errors.Is(err, errDamagedReceipt) {
		return nil // it leads nowhere
	}
	if known == nil || err != nil {
		return err
	}
	c := a.candidate(*known, imported)
	if c.ident.token != "" {
		if err := a.locate(&c); err != nil {
			return err
		}
		if c.open() {
			if err := a.end(persisted{c.ident, c.record}, c.user()); isStoreError(err) {
				return err
			}
		}
	}
	return a.seal(*known)
}

// open reports whether a request with the old cookie would get into the session, or create
// it.
func (c candidate) open() bool {
	if c.record == nil {
		return !c.receipt.sealed()
	}
	return !c.record.ended && (c.receipt.fresh() || c.record.unclaimed)
}

// user is whose session it is, as far as that is known.
func (c candidate) user() string {
	switch {
	case c.record != nil:
		return c.record.user
	case c.imported != nil:
		return c.imported.record.user
	}
	return ""
}
