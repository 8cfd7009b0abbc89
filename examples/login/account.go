package main

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
)

// listed is one of a user's sessions, as the account page shows it.
type listed struct {
	Ref       string    `json:"ref"`
	Current   bool      `json:"current"`
	Created   time.Time `json:"created"`
	LastSeen  time.Time `json:"lastSeen"`
	UserAgent string    `json:"userAgent"`

	Name string `json:"-"`
	Kind string `json:"-"`
	Kept bool   `json:"-"` // signed in, seen or not
}

func list(infos []session.Info) []listed {
	all := make([]listed, len(infos))
	for i, info := range infos {
		l := listed{
			Ref:       info.Ref,
			Current:   info.Current,
			Created:   info.Created.UTC().Truncate(time.Second),
			LastSeen:  info.LastSeen.UTC().Truncate(time.Second),
			UserAgent: info.UserAgent,
			Kept:      info.LastSeen.IsZero(),
		}
		if l.LastSeen.Before(l.Created) { // without an idle timeout nobody notes when it is seen
			l.LastSeen = l.Created
		}
		l.Name, l.Kind = device(info.UserAgent)
		all[i] = l
	}
	return all
}

func (a *app) showAccount(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	infos, err := a.sessions.Sessions(ctx, session.UserID(ctx))
	if err != nil {
		session.Error(w, r, err)
		return
	}
	render(w, r, accountTemplate, accountPage{common: a.common(ctx), Sessions: list(infos)})
}

const notYours = "No such device is signed in to your account."

// revoke ends one of the user's own sessions. That of another user is not found,
// even by somebody who has learnt its ref.
func (a *app) revoke(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	if err := r.ParseForm(); err != nil {
		refuse(w, r, http.StatusBadRequest, "That form can't be read.", "/account")
		return
	}
	if !r.PostForm.Has("ref") {
		refuse(w, r, http.StatusBadRequest, "Which device is to be signed out?", "/account")
		return
	}
	ref, user := r.PostForm.Get("ref"), session.UserID(ctx)
	infos, err := a.sessions.Sessions(ctx, user)
	if err != nil {
		session.Error(w, r, err)
		return
	}
	all := list(infos)
	i := slices.IndexFunc(all, func(l listed) bool { return l.Ref == ref })
	switch {
	case i < 0:
		refuse(w, r, http.StatusNotFound, notYours, "/account")
		return
	case all[i].Current: // to which no message could be added any more
		signOut(w, r)
		return
	}
	switch err := a.sessions.Revoke(ctx, user, ref); {
	case errors.Is(err, store.ErrNotFound): // any more
		refuse(w, r, http.StatusNotFound, notYours, "/account")
	case err != nil:
		session.Error(w, r, err)
	default:
		flash.Success(ctx, all[i].Name+" is signed out.")
		http.Redirect(w, r, "/account", http.StatusSeeOther)
	}
}

func revokeOthers(w http.ResponseWriter, r *http.Request) {
	if err := session.RevokeOthers(r.Context()); err != nil {
		session.Error(w, r, err)
		return
	}
	flash.Success(r.Context(), "All other devices are signed out.")
	http.Redirect(w, r, "/account", http.StatusSeeOther)
}
