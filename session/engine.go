package session

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/gosatchel/satchel/store"
)

// An engine is the scs.SessionManager inside a Manager: tokens, deadlines,
// encoding and the cookie are its business. It meets Satchel in the two places
// that scs leaves open. The codec keeps a whole record as scs's one value. The
// store takes what scs has no words for, the version to compare with and the
// time to live, from an operation in the context.
//
// scs calls the store with its mutex held. So the store here only reports a
// conflict, and nothing of the app runs below scs.
type engine struct {
	scs   *scs.SessionManager
	store scsStore
}

// An identity is a session's id, and scs's data of it. The zero identity is that
// of a session that is not in the store yet. Of other visitors' sessions, which
// are only ever ended, there is the id alone.
type identity struct {
	token string // what the browser holds
	id    string // what the store sees of it
	data  context.Context
}

// fresh returns the identity of a session that is to be created.
func (e engine) fresh(ctx context.Context) (identity, error) {
	data, err := e.scs.Load(context.WithoutCancel(ctx), "")
	if err != nil {
		return identity{}, err
	}
	if err := e.scs.RenewToken(data); err != nil { // there is no old one to delete
		return identity{}, err
	}
	token := e.scs.Token(data)
	return identity{token, hashed(e.scs.Cookie.Name, token), data}, nil
}

// newEngine does not use scs.New, which starts a store of its own with a goroutine.
func newEngine(s store.Store, o Options) engine {
	adapted := scsStore{s, o.Cookie.Name}
	return engine{&scs.SessionManager{
		Lifetime: o.Lifetime,
		Store:    adapted,
		Codec:    scsCodec{},
		Cookie: scs.SessionCookie{
			Name:        o.Cookie.Name,
			Domain:      o.Cookie.Domain,
			Path:        o.Cookie.Path,
			SameSite:    o.Cookie.SameSite,
			Secure:      !o.Insecure,
			Partitioned: o.Cookie.Partitioned,
			HttpOnly:    true,
			Persist:     true, // cookie decides by itself when it is not
		},
	}, adapted}
}

// find loads the record of token, or returns store.ErrNotFound. left is the time
// the record has to live.
func (e engine) find(ctx context.Context, token string) (ident identity, r *record, left time.Duration, err error) {
	op := &operation{Context: ctx}
	data, err := e.scs.Load(op, token)
	if err != nil {
		return identity{}, nil, 0, err
	}
	if e.scs.Token(data) == "" {
		return identity{}, nil, 0, store.ErrNotFound
	}
	r = e.scs.Get(data, recordValue).(*record)
	r.version = op.record.Version
	return identity{token, op.id, data}, r, op.record.TTL, nil
}

// swap stores next in place of the record with the version prev, or creates it
// if prev is zero.
func (e engine) swap(ctx context.Context, ident identity, prev store.Version, next *record, ttl time.Duration) error {
	op := &operation{
		Context: ctx,
		data:    ident.data,
		id:      ident.id,
		prev:    prev,
		record:  store.Record{Version: next.version, TTL: ttl, Rank: next.rank()},
	}
	if ident.data == nil {
		return e.store.CommitCtx(op, "", next.encode(), time.Time{})
	}
	e.scs.Put(ident.data, recordValue, next)
	e.scs.SetDeadline(ident.data, next.deadline)
	_, _, err := e.scs.Commit(op)
	return err
}

// cookie returns the Set-Cookie line for token until deadline, or the one that
// makes the browser forget it if token is "". A transient one ends with the browser.
func (e engine) cookie(token string, deadline time.Time, transient bool) string {
	h := headerOnly{}
	e.scs.WriteSessionCookie(context.Background(), h, token, deadline)
	line := h.Header().Get("Set-Cookie")
	if transient && token != "" {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			return line
		}
		c.MaxAge, c.Expires, c.RawExpires = 0, time.Time{}, ""
		line = c.String()
	}
	return line
}

// headerOnly lets scs write its cookie where it can be picked up: the
// Cache-Control that scs adds to it is not strict enough to keep.
type headerOnly http.Header

func (h headerOnly) Header() http.Header       { return http.Header(h) }
func (headerOnly) Write(b []byte) (int, error) { return len(b), nil }
func (headerOnly) WriteHeader(int)             {}

// hashed is the id under which the store keeps the session of token: whoever
// reads the store can't act as a visitor, and a cookie of one manager is never
// one of another.
func hashed(cookieName, token string) string {
	buf := make([]byte, 0, 128)
	buf = append(buf, cookieName...)
	buf = append(buf, 0) // no cookie name contains it
	buf = append(buf, token...)
	sum := sha256.Sum256(buf)
	return string(base64.RawURLEncoding.AppendEncode(buf[:0], sum[:]))
}

// An operation is what one call through scs carries to the store and back. It is
// a context, because that is all that scs hands on: with the deadline of one, and
// the values of another where scs's data is.
type operation struct {
	context.Context
	data   context.Context // or nil
	id     string          // set by find, or to be swapped
	prev   store.Version   // of what a swap is to replace
	record store.Record    // that was found, or is to be stored; without the data
}

type operationKey struct{}

func (op *operation) Value(key any) any {
	if key == (operationKey{}) {
		return op
	}
	if op.data != nil {
		return op.data.Value(key)
	}
	return op.Context.Value(key)
}

func operationOf(ctx context.Context) *operation {
	return ctx.Value(operationKey{}).(*operation)
}

// scsStore is the scs.CtxStore of an engine.
type scsStore struct {
	store.Store
	cookieName string
}

var _ scs.CtxStore = scsStore{}

func (s scsStore) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	op := operationOf(ctx)
	op.id = hashed(s.cookieName, token)
	found, err := s.Store.Find(ctx, op.id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, false, nil
	}
	data := found.Data
	op.record, op.record.Data = found, nil
	return data, err == nil, err
}

func (s scsStore) CommitCtx(ctx context.Context, _ string, b []byte, _ time.Time) error {
	op := operationOf(ctx)
	op.record.Data = b
	return s.Store.Swap(ctx, op.id, op.prev, op.record)
}

// DeleteCtx does nothing: what ends, and when, is decided by end.
func (s scsStore) DeleteCtx(context.Context, string) error { return nil }

// The methods without a context, which scs does not call on a CtxStore.
func (s scsStore) Find(string) ([]byte, bool, error)      { return nil, false, errNoContext }
func (s scsStore) Commit(string, []byte, time.Time) error { return errNoContext }
func (s scsStore) Delete(string) error                    { return errNoContext }

var errNoContext = errors.New("session: the store was called without a context")

// recordValue is the key of the one value that scs keeps.
const recordValue = "record"

// scsCodec is the scs.Codec of an engine. The deadline is part of the record.
type scsCodec struct{}

func (scsCodec) Encode(_ time.Time, values map[string]any) ([]byte, error) {
	r, ok := values[recordValue].(*record)
	if !ok {
		return nil, fmt.Errorf("session: scs holds a %T where the record should be", values[recordValue])
	}
	return r.encode(), nil
}

func (scsCodec) Decode(b []byte) (time.Time, map[string]any, error) {
	r, err := decodeRecord(b)
	if err != nil {
		return time.Time{}, nil, err
	}
	return r.deadline, map[string]any{recordValue: r}, nil
}
