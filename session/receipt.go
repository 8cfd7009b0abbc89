package session

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"time"
)

// A receipt says that an old session was taken over, and under which id it goes
// on. It is written before the session is, so whoever finds it uses the same id,
// and completes what was begun: of any number of requests, one creates the session.
// It is sealed when the session is known to be there, and from then on the session
// is never created again, however it ends.
//
// In the store it is the marker of an ended session, since that is what it is for
// the old one: it keeps that from coming back.
type receipt struct {
	old    oldSession
	record *record
}

// The values of a receipt.
const (
	receiptToken = "token"  // encrypted with what only the old cookie gives
	receiptDone  = "sealed" // present or not
)

// An oldSession is what names a session of the old library, "c" and its cookie, or
// "i" and its ID. It is a secret.
type oldSession string

func byCookie(cookie string) oldSession { return oldSession("c" + cookie) }
func byID(id string) oldSession         { return oldSession("i" + id) }
func (o oldSession) byID() bool         { return o[0] == 'i' }

// hashed is the id of the receipt of o.
func (o oldSession) hashed(m *Manager) string { return o.digest(m, "import") }

// digest returns a hash of o, another one for each purpose, cookie name and old
// cookie name.
func (o oldSession) digest(m *Manager, purpose string) string {
	sum := o.sum(m, purpose)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (o oldSession) sum(m *Manager, purpose string) [sha256.Size]byte {
	var buf []byte
	for _, part := range []string{m.options.Cookie.Name, purpose, m.options.Import.Cookie} {
		buf = append(append(buf, part...), 0) // no token contains a zero byte
	}
	return sha256.Sum256(append(buf, o...))
}

// newReceipt returns a receipt for a session that goes on under no id.
func newReceipt(old oldSession, deadline time.Time) receipt {
	r := newRecord(0)
	r.deadline = deadline
	r.ended, r.moved = true, true
	r.version = newVersion()
	return receipt{old, r}
}

// leadTo makes the receipt say that the session is to go on under token.
func (r receipt) leadTo(m *Manager, token string) {
	plain, _ := base64.RawURLEncoding.DecodeString(token)
	r.record.values.set(receiptToken, r.old.crypt(m, plain))
}

// crypt encrypts or decrypts the 32 bytes of a token. They are random, and each
// receipt has its own key, so a one-time pad will do.
func (o oldSession) crypt(m *Manager, token []byte) []byte {
	pad := o.sum(m, "import token")
	out := make([]byte, len(pad))
	if len(token) == len(pad) {
		subtle.XORBytes(out, token, pad[:])
	}
	return out
}

// token returns the id that the session goes on under, or "" if the receipt is damaged.
func (r receipt) token(m *Manager) string {
	raw := r.record.values.get(receiptToken)
	if len(raw) != sha256.Size {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(r.old.crypt(m, raw))
}

// sealed reports whether the session is known to be there, or to have been.
func (r receipt) sealed() bool { return r.record.values.get(receiptDone) != nil }

// fresh reports whether requests may be under way that left the browser before it
// had the new cookie.
func (r receipt) fresh() bool { return time.Since(r.record.created) < markerLifetime }

// seal makes the receipt say that the session is there.
func (a *attempt) seal(r receipt) error {
	for n := 0; r.record != nil && !r.sealed(); n++ {
		next := r.record.clone()
		next.values.set(receiptDone, []byte{1})
		next.version = newVersion()
		next.follow(r.record)
		done, current, err := a.swap(identity{id: r.old.hashed(a.m)}, r.record, next)
		if err != nil || done {
			return err
		}
		r.record = current
		a.pause(n)
	}
	return nil
}

// refFor returns the ref of a session that was taken over under token. All who
// complete a takeover have to list it as the same.
func refFor(token string) string {
	sum := sha256.Sum256([]byte("ref\x00" + token))
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16])
}
