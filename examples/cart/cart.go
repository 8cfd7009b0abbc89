package main

import (
	"fmt"
	"slices"

	"github.com/gosatchel/satchel/session"
)

// cart is what a visitor carries through the shop.
var cart = session.NewKey[Cart]("cart")

// Cart is the lines in the order in which they were first added.
type Cart []Line

// Line is an item and how many of it.
type Line struct {
	Item string `json:"item"`
	Qty  int    `json:"qty"`
}

// Add adds qty of item.
func (c *Cart) Add(item string, qty int) {
	if i := c.index(item); i >= 0 {
		(*c)[i].Qty += qty
		return
	}
	*c = append(*c, Line{item, qty})
}

// Set makes it qty of item; 0 removes it.
func (c *Cart) Set(item string, qty int) {
	i := c.index(item)
	switch {
	case i < 0 && qty > 0:
		*c = append(*c, Line{item, qty})
	case i >= 0 && qty > 0:
		(*c)[i].Qty = qty
	case i >= 0:
		*c = slices.Delete(*c, i, i+1)
	}
}

func (c Cart) index(item string) int {
	return slices.IndexFunc(c, func(l Line) bool { return l.Item == item })
}

// Count returns how many pieces there are.
func (c Cart) Count() int {
	n := 0
	for _, l := range c {
		n += l.Qty
	}
	return n
}

// Total returns what all of it costs.
func (c Cart) Total() Cents {
	var sum Cents
	for _, l := range c {
		sum += l.Total()
	}
	return sum
}

// Total returns what the line costs, at today's price.
func (l Line) Total() Cents {
	p, _ := find(l.Item) // what is not sold any more costs nothing
	return p.Price * Cents(l.Qty)
}

// Product is something that the shop sells.
type Product struct {
	Name  string
	Price Cents
}

var catalogue = []Product{
	{"lime", 40},
	{"lemon", 55},
	{"carrot", 20},
	{"taser", 12900},
}

func find(name string) (p Product, sold bool) {
	i := slices.IndexFunc(catalogue, func(p Product) bool { return p.Name == name })
	if i < 0 {
		return p, false
	}
	return catalogue[i], true
}

// Cents is an amount of money.
type Cents int

func (c Cents) String() string { return fmt.Sprintf("$%d.%02d", c/100, c%100) }
