package storetest

import (
	"context"

	"github.com/gosatchel/satchel/store"
)

// Cases returns the names of all cases.
func Cases() []string {
	var names []string
	for _, c := range append(storeCases(), indexerCases()...) {
		names = append(names, c.name)
	}
	return names
}

// RunCase runs one case over s, and returns what Run would report.
func RunCase(ctx context.Context, name string, s store.Store) error {
	for _, c := range append(storeCases(), indexerCases()...) {
		if c.name == name {
			return c.over(ctx, s)
		}
	}
	panic("no case " + name)
}
