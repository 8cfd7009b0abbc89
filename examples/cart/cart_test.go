package main

import (
	"slices"
	"testing"
)

func TestCart(t *testing.T) {
	var c Cart
	steps := []struct {
		name   string
		change func()
		want   Cart
	}{
		{"the first", func() { c.Add("carrot", 4) }, Cart{{"carrot", 4}}},
		{"another", func() { c.Add("lime", 1) }, Cart{{"carrot", 4}, {"lime", 1}}},
		{"more of the first", func() { c.Add("carrot", 99) }, Cart{{"carrot", 103}, {"lime", 1}}},
		{"set", func() { c.Set("carrot", 2) }, Cart{{"carrot", 2}, {"lime", 1}}},
		{"set what is not there", func() { c.Set("lemon", 3) }, Cart{{"carrot", 2}, {"lime", 1}, {"lemon", 3}}},
		{"set to none", func() { c.Set("lime", 0) }, Cart{{"carrot", 2}, {"lemon", 3}}},
		{"none of what is not there", func() { c.Set("taser", 0) }, Cart{{"carrot", 2}, {"lemon", 3}}},
		{"again, at the end", func() { c.Add("lime", 1) }, Cart{{"carrot", 2}, {"lemon", 3}, {"lime", 1}}},
	}
	for _, step := range steps {
		if step.change(); !slices.Equal(c, step.want) {
			t.Fatalf("%s: %v, want %v", step.name, c, step.want)
		}
	}
	if c.Count() != 6 || c.Total().String() != "$2.45" {
		t.Errorf("%d pieces for %v, want 6 for $2.45", c.Count(), c.Total())
	}
}
