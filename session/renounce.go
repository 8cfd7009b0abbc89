package session

import (
	"errors"
	"net/http"
)

// renounce sees to it that after a logout nobody is taken over who comes with a cookie of
// the old library that came with it. It does what a request with that cookie would, and
// ends at once what comes of it: so others who do the same at this moment, in any process
// and at any step, find that it has ended. own is the id of the session that the logout is
// about, if any, which is ended after this.
func (a *attempt) renounce(r *http.Request, cookie, own string) error {
	known, imported, err := a.register(r, cookie)
	if errors.Is(err, errDamagedReceipt) {
		return nil // it leads nowhere
	}
	if known == nil || err != nil {
		return err
	}
	c := a.candidate(*known, imported)
	if c.ident.token != "" && c.ident.id != own {
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
// it. Where it has just ended, that may not have been confirmed.
func (c candidate) open() bool {
	switch r := c.record; {
	case r == nil:
		return !c.receipt.sealed()
	case r.ended:
		return !r.moved && c.receipt.fresh()
	default:
		return c.receipt.fresh() || r.unclaimed
	}
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
