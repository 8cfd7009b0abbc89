package session

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
)

var (
	jsonMarshaler   = reflect.TypeFor[json.Marshaler]()
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// unfit returns why JSON would lose a value of type t without a word, or fail on
// every one, and what to do about it; "" if it would not. What it can't know, such as
// the type behind an interface, it lets pass.
func unfit(t reflect.Type) string {
	return unfitAt(t, t.String(), map[reflect.Type]bool{})
}

// unfitAt is unfit for the part of a value that is found at path.
func unfitAt(t reflect.Type, path string, seen map[reflect.Type]bool) string {
	if seen[t] {
		return ""
	}
	seen[t] = true
	if writes, reads := encodesItself(t); writes && !reads {
		return fmt.Sprintf("%s marshals itself, but can't unmarshal itself, and could never be read; add the other method", path)
	} else if writes {
		return ""
	}
	switch t.Kind() {
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return fmt.Sprintf("%s is an interface, and JSON could not know which type to make of it; use the type itself", path)
		}
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		return fmt.Sprintf("%s is a %s, which JSON can't carry; leave it out", path, t.Kind())
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return unfitAt(t.Elem(), path, seen)
	case reflect.Map:
		if !stringLike(t.Key()) {
			return fmt.Sprintf("%s is a map by %v, which JSON can't carry; use keys that are strings, integers or text marshalers", path, t.Key())
		}
		return unfitAt(t.Elem(), path, seen)
	case reflect.Struct:
		return unfitStruct(t, path, seen)
	}
	return ""
}

func unfitStruct(t reflect.Type, path string, seen map[reflect.Type]bool) string {
	visible := 0
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Tag.Get("json") == "-" {
			visible++ // left out on purpose
			continue
		}
		if !f.IsExported() && !f.Anonymous {
			continue
		}
		if !f.IsExported() && f.Type.Kind() == reflect.Pointer {
			return fmt.Sprintf("%s embeds a pointer to the unexported %s, which JSON can't fill; embed the struct itself", path, f.Name)
		}
		visible++
		if problem := unfitAt(f.Type, path+"."+f.Name, seen); problem != "" {
			return problem
		}
	}
	if t.NumField() > 0 && visible == 0 {
		return fmt.Sprintf("%s has fields but exports none, so JSON would keep nothing of it; export them, or give it MarshalJSON and UnmarshalJSON", path)
	}
	return ""
}

// encodesItself reports whether t has methods of its own to be encoded, and to be
// decoded.
func encodesItself(t reflect.Type) (writes, reads bool) {
	p := reflect.PointerTo(t)
	asJSON, asText := p.Implements(jsonMarshaler), p.Implements(textMarshaler)
	return asJSON || asText, p.Implements(jsonUnmarshaler) || !asJSON && p.Implements(textUnmarshaler)
}

func stringLike(t reflect.Type) bool {
	kind := t.Kind()
	return kind == reflect.String || reflect.Int <= kind && kind <= reflect.Uintptr || t.Implements(textMarshaler)
}
