package session_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/gosatchel/satchel/session"
)

// agree fails if a shortcut around encoding/json does what that would not.
func agree[T comparable](t *testing.T, v T, raw []byte) {
	t.Helper()
	want, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := session.PlainJSON(&v); ok && string(got) != string(want) {
		t.Errorf("%#v is encoded as %s, want %s", v, got, want)
	}
	var got, expected T
	if session.FromPlainJSON(raw, &got) {
		if err := json.Unmarshal(raw, &expected); err != nil || got != expected {
			t.Errorf("%q is decoded as %#v, want %#v (%v)", raw, got, expected, err)
		}
	}
}

// FuzzPlain: the shortcuts and encoding/json never differ.
func FuzzPlain(f *testing.F) {
	for _, s := range []string{"", "a", `"`, `\`, "<b>", "é", "\x00", "\u2028", "0", "-1", "+1", "01", "1e3", `"a"b"`, "999999999999999999", " 1"} {
		f.Add(s, len(s))
	}
	f.Add("", math.MinInt)
	f.Add("", math.MaxInt)
	f.Fuzz(func(t *testing.T, s string, n int) {
		for _, raw := range []string{s, `"` + s + `"`} {
			agree(t, s, []byte(raw))
			agree(t, n, []byte(raw))
		}
	})
}
