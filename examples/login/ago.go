package main

import (
	"fmt"
	"time"
)

// ago says how long ago t was. Pages don't show times of day, since the server
// does not know the visitor's time zone.
func ago(t time.Time) string {
	const day = 24 * time.Hour
	d := time.Since(t)
	for _, unit := range []struct {
		name   string
		length time.Duration
	}{{"day", day}, {"hour", time.Hour}, {"minute", time.Minute}} {
		switch n := d / unit.length; {
		case n == 1:
			return "1 " + unit.name + " ago"
		case n > 1:
			return fmt.Sprintf("%d %ss ago", n, unit.name)
		}
	}
	return "just now"
}
