package sessiontest_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/gosatchel/satchel/flash"
	"github.com/gosatchel/satchel/session/sessiontest"
)

// said records what a failing test would have said.
type said struct {
	testing.TB
	text string
}

func (s *said) Errorf(format string, args ...any) { s.text += fmt.Sprintf(format, args...) }

func TestWantFlash_SaysWhatWaitsAndWhatWasWanted(t *testing.T) {
	saved := flash.Message{Level: flash.LevelSuccess, Text: "saved"}
	mailed := flash.Message{Level: flash.LevelInfo, Text: "mail sent"}
	for name, c := range map[string]struct {
		waits []flash.Message
		check func(*sessiontest.Session)
		want  string
	}{
		"the message":      {[]flash.Message{saved}, func(s *sessiontest.Session) { s.WantFlash(flash.LevelSuccess, "saved") }, ""},
		"another text":     {[]flash.Message{saved}, func(s *sessiontest.Session) { s.WantFlash(flash.LevelSuccess, "Saved") }, "flash messages that wait: \n\tsuccess: \"saved\"\nwant: \n\tsuccess: \"Saved\""},
		"another level":    {[]flash.Message{saved}, func(s *sessiontest.Session) { s.WantFlash(flash.LevelInfo, "saved") }, "flash messages that wait: \n\tsuccess: \"saved\"\nwant: \n\tinfo: \"saved\""},
		"one more":         {[]flash.Message{saved, mailed}, func(s *sessiontest.Session) { s.WantFlash(flash.LevelSuccess, "saved") }, "flash messages that wait: \n\tsuccess: \"saved\"\n\tinfo: \"mail sent\"\nwant: \n\tsuccess: \"saved\""},
		"none there":       {nil, func(s *sessiontest.Session) { s.WantFlash(flash.LevelSuccess, "saved") }, "flash messages that wait: none\nwant: \n\tsuccess: \"saved\""},
		"none":             {nil, (*sessiontest.Session).WantNoFlash, ""},
		"one too many":     {[]flash.Message{mailed}, (*sessiontest.Session).WantNoFlash, "flash messages that wait: \n\tinfo: \"mail sent\"\nwant: none"},
		"both":             {[]flash.Message{saved, mailed}, func(s *sessiontest.Session) { s.WantFlashes(saved, mailed) }, ""},
		"in another order": {[]flash.Message{saved, mailed}, func(s *sessiontest.Session) { s.WantFlashes(mailed, saved) }, "flash messages that wait: \n\tsuccess: \"saved\"\n\tinfo: \"mail sent\"\nwant: \n\tinfo: \"mail sent\"\n\tsuccess: \"saved\""},
	} {
		recorder := &said{TB: t}
		s := sessiontest.New(recorder)
		for _, m := range c.waits {
			flash.Add(s.Context(), m)
		}
		c.check(s)
		if recorder.text != c.want {
			t.Errorf("%s: says %q, want %q", name, recorder.text, c.want)
		}
		if len(s.Flashes()) != len(c.waits) {
			t.Errorf("%s: looking took them", name)
		}
	}
}

func ExampleSession_WantFlash() {
	var t *testing.T // of the test function that this is the body of

	s := sessiontest.New(t).Login("42")
	s.Serve(http.HandlerFunc(add), post("item=carrot"))
	s.WantFlash(flash.LevelSuccess, "added")
}
