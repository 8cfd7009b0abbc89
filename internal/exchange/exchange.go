// Package exchange is what flash messages need to know of the request and the
// response that a context belongs to. Package session puts it into the context;
// package flash asks. It is internal because it is an agreement between the two,
// not an extension point.
package exchange

import "context"

// Exchange is one request and its response, or one call of Manager.Do.
type Exchange interface {
	// Looks reports whether nobody will see the response: the request is a HEAD
	// or a prefetch. What is shown once must be looked at, not taken.
	Looks() bool

	// Unseen registers undo for the case that nothing of the response is shown:
	// a redirect, a 5xx, or a panic before the first byte. What undo changes in
	// the session is committed with the response. undo gets the context to make
	// its changes in.
	Unseen(undo func(ctx context.Context))

	// Local returns what this exchange remembers under key, made by init when
	// it is asked for first. It is never stored, and gone with the response.
	Local(key any, init func() any) any

	// Report makes err, which the caller can't return, known to session.Err and the log.
	Report(doing string, err error)
}

type contextKey struct{}

// With returns a context that belongs to x. The innermost one counts.
func With(ctx context.Context, x Exchange) context.Context {
	return context.WithValue(ctx, contextKey{}, x)
}

// From returns the exchange that ctx belongs to, or nil.
func From(ctx context.Context) Exchange {
	x, _ := ctx.Value(contextKey{}).(Exchange)
	return x
}
