package session

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxTokens bounds how many cookies of our name are looked up, where several can
// be there. More are somebody's attempt to make us work.
const maxTokens = 3

// tokens appends the tokens that r carries in cookies of our name. What has not
// the form of a token is none, and never reaches the store; so there is no need
// for all that http.Request.Cookies does.
func (m *Manager) tokens(tokens []string, r *http.Request) []string {
	sent := 0
	for _, line := range r.Header["Cookie"] {
		for pair := range strings.SplitSeq(line, ";") {
			name, token, _ := strings.Cut(strings.TrimSpace(pair), "=")
			if name != m.options.Cookie.Name {
				continue
			}
			if sent++; wellFormed(token) && !slices.Contains(tokens, token) && len(tokens) < maxTokens {
				tokens = append(tokens, token)
			}
		}
	}
	if sent > 1 && m.options.Cookie.onlyOurs() {
		// Browsers keep one __Host- cookie per name. Who sends more is no browser.
		return tokens[:0]
	}
	return tokens
}

// wellFormed reports whether token is the base64url form of 32 bytes, as scs
// makes them.
func wellFormed(token string) bool {
	if len(token) != 43 {
		return false
	}
	for i := range len(token) {
		c := token[i]
		if !('A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	// The last character stands for four bits; the other two are zero.
	return strings.IndexByte("AEIMQUYcgkosw048", token[42]) >= 0
}

// announce writes into the header of a response what has to be said of the
// session: the cookie if the browser needs another one, and how caches are to
// treat the response. After that no change can be made that needs a cookie. If
// another goroutine of the request is committing one, it waits for it.
func (t *transaction) announce(h http.Header, r *http.Request) {
	t.mu.Lock()
	if t.committing.taken {
		t.mu.Unlock()
		a := t.attempt(r.Context(), "commit")
		defer a.writing.end()
		if t.lockCommits(a) == nil {
			defer t.unlockCommits()
		}
		t.mu.Lock()
	}
	t.headersSent = true
	accessed, line, old := t.accessed, t.cookie(), t.departed && t.ending == nil && t.renounce == nil
	t.mu.Unlock()
	if accessed {
		addVary(h)
	}
	if old && t.manager.options.Import != nil {
		t.forget(h, r, line)
	}
	if line == "" {
		return
	}
	h.Add("Set-Cookie", line)
	keepPrivate(h)
	if m := t.manager; !m.options.Insecure && overPlainHTTP(r) {
		m.warnPlainHTTP.Do(func() {
			m.options.Logger.Error("session: a Secure cookie goes out over plain HTTP, where browsers drop it; serve HTTPS, or set Options.Insecure for tests on localhost, or X-Forwarded-Proto in the proxy that ends TLS", "cookie", m.options.Cookie.Name)
		})
	}
}

// needsCookie reports whether committing now would make the browser need another cookie.
func (t *transaction) needsCookie() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cookie() != "" && !t.tookOver || t.saved == nil && len(t.pending) > 0 || slices.ContainsFunc(t.pending, changesCookie)
}

// cookie returns the Set-Cookie line that the browser needs, or "". It counts as sent.
func (t *transaction) cookie() string {
	m := t.manager
	switch {
	case t.ending != nil:
		return "" // the session is still there
	case t.saved != nil && !t.presented:
		transient := m.options.Cookie.Transient && !t.saved.remembered
		return m.engine.cookie(t.ident.token, t.saved.deadline, transient)
	case t.saved == nil && t.obsolete:
		return m.engine.cookie("", time.Time{}, false)
	}
	return ""
}

// overPlainHTTP reports whether r came over plain HTTP, as far as that can be known
// behind a proxy.
func overPlainHTTP(r *http.Request) bool {
	return r.TLS == nil && r.Header.Get("X-Forwarded-Proto") != "https" && r.Header.Get("Forwarded") == ""
}

// addVary says that the response depends on the cookie (RFC 9110, section 12.5.5).
func addVary(h http.Header) {
	for _, line := range h["Vary"] {
		for field := range strings.SplitSeq(line, ",") {
			if field = strings.TrimSpace(field); field == "*" || strings.EqualFold(field, "Cookie") {
				return
			}
		}
	}
	h.Add("Vary", "Cookie")
}

// keepPrivate takes a response that carries a session out of shared caches,
// whatever the handler had allowed (RFC 9111, section 5.2.2): a cached
// Set-Cookie would sign others in.
func keepPrivate(h http.Header) {
	for name := range h {
		// The targeted fields of RFC 9213, and what came before them.
		if strings.HasSuffix(name, "Cdn-Cache-Control") || name == "Surrogate-Control" {
			delete(h, name)
		}
	}
	var kept []string
	private := false
	for _, line := range h["Cache-Control"] {
		for _, directive := range directives(line) {
			directive = strings.TrimSpace(directive)
			name, _, _ := strings.Cut(strings.ToLower(directive), "=")
			switch name {
			case "", "public", "s-maxage":
				continue
			case "private":
				if strings.Contains(directive, "=") {
					continue // private for some fields alone
				}
				private = true
			case "no-store":
				private = true
			}
			kept = append(kept, directive)
		}
	}
	if !private {
		kept = append(kept, "private")
	}
	h.Set("Cache-Control", strings.Join(kept, ", "))
}

// directives splits a line at the commas that are outside of quoted strings
// (RFC 9110, section 5.6.4).
func directives(line string) []string {
	quoted, escaped := false, false
	return strings.FieldsFunc(line, func(c rune) bool {
		switch {
		case escaped:
			escaped = false
		case c == '\\' && quoted:
			escaped = true
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			return true
		}
		return false
	})
}
