package sessiontest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gosatchel/satchel/flash"
)

// Flashes returns the messages that wait for the next page, and leaves them there.
func (s *Session) Flashes() []flash.Message {
	s.t.Helper()
	return flash.Peek(s.Context())
}

// WantFlash fails the test unless one message waits for the next page, and it is
// this one. It leaves it there.
func (s *Session) WantFlash(level flash.Level, text string) {
	s.t.Helper()
	s.WantFlashes(flash.Message{Level: level, Text: text})
}

// WantFlashes fails the test unless these messages wait for the next page, the
// oldest first, and no others. It leaves them there.
func (s *Session) WantFlashes(want ...flash.Message) {
	s.t.Helper()
	if got := s.Flashes(); !slices.Equal(got, want) {
		s.t.Errorf("flash messages that wait: %s\nwant: %s", list(got), list(want))
	}
}

// WantNoFlash fails the test if a message waits for the next page.
func (s *Session) WantNoFlash() {
	s.t.Helper()
	s.WantFlashes()
}

// list returns messages as a failing test shows them.
func list(messages []flash.Message) string {
	if len(messages) == 0 {
		return "none"
	}
	var lines strings.Builder
	for _, m := range messages {
		fmt.Fprintf(&lines, "\n\t%s: %q", m.Level, m.Text)
	}
	return lines.String()
}
