package main

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestAgo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for d, want := range map[time.Duration]string{
			-time.Millisecond:             "just now", // stores round
			59 * time.Second:              "just now",
			time.Minute:                   "1 minute ago",
			59*time.Minute + time.Second:  "59 minutes ago",
			119 * time.Minute:             "1 hour ago",
			23 * time.Hour:                "23 hours ago",
			24 * time.Hour:                "1 day ago",
			30*24*time.Hour + time.Second: "30 days ago",
		} {
			if got := ago(time.Now().Add(-d)); got != want {
				t.Errorf("%v: %q, want %q", d, got, want)
			}
		}
	})
}
