package detached_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/gosatchel/satchel/internal/detached"
)

func TestCall(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		do    func() (int, error)
		value int
		says  string // of the error
		panic string
	}{
		"returns":             {do: func() (int, error) { return 7, nil }, value: 7},
		"fails":               {do: func() (int, error) { return 0, broken }, says: "broken"},
		"panics":              {do: func() (int, error) { panic("a bug") }, panic: "the app panicked: a bug"},
		"panics with nothing": {do: func() (int, error) { panic(nil) }, panic: "the app panicked"},
		"ends its goroutine":  {do: func() (int, error) { runtime.Goexit(); return 0, nil }, says: "the app ended its goroutine"},
	} {
		t.Run(name, func(t *testing.T) {
			cleanedUp := false
			o := <-detached.Call(c.do, func() { cleanedUp = true })
			if !cleanedUp {
				t.Error("the outcome came before the clean-up")
			}
			defer func() {
				if got := recover(); (got != nil) != (c.panic != "") || !strings.Contains(fmt.Sprint(got), c.panic) && c.panic != "" {
					t.Errorf("panic %v, want %q", got, c.panic)
				}
			}()
			value, err := o.Result("the app")
			if value != c.value || fmt.Sprint(err) != map[bool]string{true: "<nil>", false: c.says}[c.says == ""] {
				t.Errorf("%d, %v; want %d, %q", value, err, c.value, c.says)
			}
		})
	}
}
