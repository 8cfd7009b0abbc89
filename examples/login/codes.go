package main

import (
	"net/http"

	"github.com/gosatchel/satchel/session"
)

// recoveryCodes are what the users of the demo could get in with if they lost
// their passwords, if this were more than a demo: then they would be random, and
// encrypted where they are kept.
var recoveryCodes = map[string][]string{
	"alice": {"rabbit-4071", "teapot-9926", "dormouse-1380", "hatter-6615", "lobster-2448", "gryphon-7093"},
	"bob":   {"girder-5512", "trowel-8034", "mortar-3671", "rafter-9208", "lintel-1746", "gravel-6389"},
}

func (a *app) showCodes(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	render(w, r, codesTemplate, codesPage{common: a.common(ctx), Codes: recoveryCodes[session.UserID(ctx)]})
}
