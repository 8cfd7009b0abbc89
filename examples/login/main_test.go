package main

import (
	"syscall"
	"testing"

	"github.com/gosatchel/satchel/examples/internal/check"
)

func TestProgram_EndsOnceRequestsInFlightHaveFinished(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) { check.EndsCleanly(t, signal, "/login", "user=alice&password=wonderland") })
	}
}
