package session

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// intended is until when somebody is taken to want to go where RequireUser kept
// them from going, as Unix time, and where, with a space between.
var intended = NewKey[string]("satchel:intended")

// intendedFor is how long somebody who signs in is taken to have wanted there.
const intendedFor = time.Hour

// maxIntended bounds what a visitor can make us keep.
const maxIntended = 2048

// intend remembers where r was going.
func (t *transaction) intend(r *http.Request) {
	if target := target(r); target != "" && len(target) <= maxIntended {
		raw, err := intended.encode(fmt.Sprint(time.Now().Add(intendedFor).Unix(), " ", target))
		if err == nil {
			t.change(setValue{name: intended.name, raw: raw})
		}
	}
}

// Intended returns the path and query that the visitor wanted to see when
// [RequireUser] sent them to the login page in the last hour, or fallback. It is
// forgotten with the next commit. It never leads to another site (CWE-601), so a
// sign-in can end with
//
//	http.Redirect(w, r, session.Intended(ctx, "/"), http.StatusSeeOther)
func Intended(ctx context.Context, fallback string) string {
	until, wanted, _ := strings.Cut(intended.Get(ctx), " ")
	intended.Delete(ctx)
	target := localPath(wanted)
	if unix, err := strconv.ParseInt(until, 10, 64); err != nil || unix < time.Now().Unix() || target == "" {
		return fallback
	}
	return target
}

// target returns the path and query that the browser asked for, or "". That is
// not r.URL, which a router may have cut a prefix from.
func target(r *http.Request) string {
	if r.RequestURI == "" {
		return localPath(r.URL.RequestURI())
	}
	return localPath(r.RequestURI)
}

// localPath returns target if every browser takes it for a path of this site, or
// else "". Browsers read a backslash as a slash, drop tabs and line breaks, and take
// what begins with two slashes for a host (WHATWG URL, section 4.4).
func localPath(target string) string {
	if !strings.HasPrefix(target, "/") || strings.HasPrefix(target, "//") || strings.Contains(target, `\`) {
		return ""
	}
	for _, c := range []byte(target) {
		if c <= ' ' || c == 0x7f {
			return ""
		}
	}
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil {
		return ""
	}
	return target
}
