package session_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/gosatchel/satchel/internal/trial"
	"github.com/gosatchel/satchel/session"
)

// cookieLines tells what a response does with the two cookies, as in "old gone, session".
func cookieLines(t testing.TB, w *httptest.ResponseRecorder) string {
	t.Helper()
	var said []string
	for _, line := range w.Header()["Set-Cookie"] {
		c, err := http.ParseSetCookie(line)
		wantError(t, "ParseSetCookie", err, nil)
		if c.MaxAge < 0 {
			said = append(said, c.Name+" gone")
		} else {
			said = append(said, c.Name)
		}
	}
	slices.Sort(said)
	if len(said) > 0 && !strings.Contains(w.Header().Get("Cache-Control"), "private") {
		t.Error("a shared cache may hand the cookies out")
	}
	return strings.Join(said, ", ")
}

func logOut(ctx context.Context) { session.Logout(ctx) }

// TestP2_ALogoutTakesTheOldCookieAlong, of whichever session, and nothing else does.
func TestP2_ALogoutTakesTheOldCookieAlong(t *testing.T) {
	for name, c := range map[string]struct {
		before []deed // each a request
		do     deed
		want   string
	}{
		"in the first request":             {nil, logOut, "old gone, session gone"},
		"later":                            {[]deed{put("mint")}, logOut, "old gone, session gone"},
		"of a sign-in here":                {[]deed{signIn("7")}, logOut, "old gone, session gone"},
		"with a message for the next":      {[]deed{put("mint")}, func(ctx context.Context) { logOut(ctx); color.Set(ctx, "blue") }, "old gone, session"},
		"once more":                        {[]deed{put("mint"), logOut}, logOut, ""}, // the browser has neither
		"no logout, a change":              {[]deed{put("mint")}, put("sage"), ""},
		"no logout, a sign-in":             {[]deed{put("mint")}, signIn("7"), "session"},
		"no logout, a renewal, at first":   {nil, session.Renew, "session"},
		"a logout, and then a new sign-in": {[]deed{put("mint")}, func(ctx context.Context) { logOut(ctx); session.Login(ctx, "7") }, "old gone, session"},
	} {
		t.Run(name, func(t *testing.T) {
			b := arrives(trial.Memory(t), midCart().to(plainHTTP()), "ann")
			for _, before := range c.before {
				visitOK(t, b, before)
			}
			wantSame(t, "cookies", cookieLines(t, visitOK(t, b, c.do)), c.want)
		})
	}
}

func TestP2_ALogoutWithoutASessionTakesTheOldCookieAlong(t *testing.T) {
	f := newFaulty(trial.Memory(t))
	l := midCart()
	b := browse(f, l.to(plainHTTP()), obliging)
	visitOK(t, b, put("sage"))
	visitOK(t, b, logOut)
	b.SetCookie(oldCookie, "unknown")
	f.trace()
	wantSame(t, "cookies", cookieLines(t, visitOK(t, b, logOut)), "old gone")
	for _, op := range f.trace() {
		if op.Name != "find" {
			t.Errorf("a %s: whoever makes cookies up fills the store", op.Name)
		}
	}
}

func TestP2_ALogoutThatFailsLeavesTheOldCookie(t *testing.T) {
	f := newFaulty(trial.Memory(t))
	b := arrives(f, midCart().to(plainHTTP()), "ann")
	visitOK(t, b, put("mint"))
	f.on("swap", 0, refused)
	f.on("swap", 0, refused)
	wantRefused(t, visit(t, b, logOut))
	f.mend()
	wantCart(t, b, "lime", "mint")

	// Nor does one whose failure the handler itself has reported.
	reports := browse(f, midCart().to(plainHTTP()), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := session.Logout(r.Context()); err != nil {
			session.Error(w, r, err)
		}
	}))
	for name, value := range b.Cookies() {
		reports.SetCookie(name, value)
	}
	f.on("swap", 0, refused)
	wantRefused(t, reports.Get(t, "/"))
}

// TestImport_TheOldCookieIsExpiredAsItWasSet, or browsers would keep it.
func TestImport_TheOldCookieIsExpiredAsItWasSet(t *testing.T) {
	l := midCart()
	o := session.Options{Logger: plainHTTP().Logger, Import: l.importer()}
	o.Import.Path, o.Import.Domain, o.Import.Partitioned = "/shop", "example.com", true
	b := arrives(trial.Memory(t), o, "ann")
	w := visitOK(t, b, logOut)
	want := "old=; Path=/shop; Domain=example.com; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax; Partitioned"
	if lines := w.Header()["Set-Cookie"]; !slices.Contains(lines, want) {
		t.Errorf("the lines are %q, want among them %q", lines, want)
	}
}

// sameName is an app whose cookie is called as the old library's.
func sameName(l *oldLibrary, edits ...func(*session.Importer)) session.Options {
	o := l.to(plainHTTP())
	o.Cookie.Name = oldCookie
	for _, edit := range edits {
		edit(o.Import)
	}
	return o
}

func TestImport_TheSameCookieName(t *testing.T) {
	for name, cookie := range map[string]string{
		"a value that is no id of ours":   "ann",
		"one that looks like one of ours": strings.Repeat("A", 43),
	} {
		t.Run(name, func(t *testing.T) {
			s, l := trial.Memory(t), midCart()
			l.sessions[cookie] = l.sessions["ann"]
			o := sameName(l)
			b := arrives(s, o, cookie)
			w := visitOK(t, b, put("mint"))
			wantSame(t, "cookies", cookieLines(t, w), "old")
			wantCart(t, b, "lime", "mint")
			visitOK(t, b, put("sage"))
			l.wantAsked(t, 1)

			message := visitOK(t, b.Fork(), func(ctx context.Context) { logOut(ctx); color.Set(ctx, "blue") })
			wantSame(t, "cookies after a logout with a message", cookieLines(t, message), "old")
			wantNobody(t, "7", b, arrives(s, o, cookie))
		})
	}
	t.Run("logout", func(t *testing.T) {
		b := arrives(trial.Memory(t), sameName(midCart()), "ann")
		visitOK(t, b, put("mint"))
		wantSame(t, "cookies", cookieLines(t, visitOK(t, b, logOut)), "old gone")
	})
	t.Run("logout in the first request", func(t *testing.T) {
		b := arrives(trial.Memory(t), sameName(midCart()), "ann")
		wantSame(t, "cookies", cookieLines(t, visitOK(t, b, logOut)), "old gone")
	})
	t.Run("of another path", func(t *testing.T) {
		b := arrives(trial.Memory(t), sameName(midCart(), func(i *session.Importer) { i.Path = "/shop" }), "ann")
		visitOK(t, b, put("mint"))
		wantSame(t, "cookies", cookieLines(t, visitOK(t, b, logOut)), "old gone, old gone")
	})
	t.Run("of another path, both sent", func(t *testing.T) {
		s, l := trial.Memory(t), midCart()
		b := arrives(s, sameName(l), "ann")
		both := trial.Header("Cookie", "old="+strings.Repeat("A", 43)+"; old=ann")
		b.Get(t, "/", both, func(r *http.Request) {
			*r = *r.WithContext(context.WithValue(r.Context(), deedKey{}, deed(func(ctx context.Context) { wantCartIn(t, ctx, "lime") })))
		})
	})
}

// TestImport_AnUnknownIdOfOurs does not keep the old cookie from being asked about.
func TestImport_AnUnknownIdOfOurs(t *testing.T) {
	l := midCart()
	b := arrives(trial.Memory(t), l.to(plainHTTP()), "ann")
	b.SetCookie("session", strings.Repeat("A", 43))
	visitOK(t, b, put("mint"))
	wantCart(t, b, "lime", "mint")
	if b.Cookies()["session"] == strings.Repeat("A", 43) {
		t.Error("an id that somebody else has chosen was adopted")
	}
}

// TestP2_AMarkerKeepsTheOldCookieOut: who was signed out a moment ago is not signed in
// again by another old cookie that the browser still has.
func TestP2_AMarkerKeepsTheOldCookieOut(t *testing.T) {
	s, l := trial.Memory(t), midCart()
	b := visitor(t, s, l.to(plainHTTP()), signIn("8"))
	late := b.Fork()
	late.SetCookie(oldCookie, "ann")
	visitOK(t, b, logOut)
	visitOK(t, late, func(ctx context.Context) {
		wantError(t, "Err", session.Err(ctx), session.ErrEnded)
		wantSame(t, "user", session.UserID(ctx), "")
	})
	l.wantAsked(t, 0)
}

// A logout of a session that somebody else has ended takes its cookie for ours, where
// both have one name.
func TestP6_ALogoutElsewhereAsksNobodyAboutOurOwnCookie(t *testing.T) {
	o, l := plainHTTP(), midCart()
	o.Import = l.importer()
	o.Import.Cookie = o.Cookie.Name
	if o.Import.Cookie == "" {
		o.Import.Cookie = "session"
	}
	b := browse(trial.Memory(t), o, obliging)
	visitOK(t, b, signIn("8"))
	other := b.Fork()
	visitOK(t, b, logOut)
	l.wantAsked(t, 0)
	visitOK(t, other, func(ctx context.Context) { wantError(t, "Logout", session.Logout(ctx), nil) })
	l.wantAsked(t, 0)
}
