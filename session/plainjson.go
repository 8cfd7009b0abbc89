package session

import "strconv"

// Most values are short strings and counters, for which encoding/json costs more
// than all else that a request does with its session. These functions do what it
// does for the plain ones, and leave any other to it.

// plainJSON returns what json.Marshal would, or false.
func plainJSON(v any) ([]byte, bool) {
	switch v := v.(type) {
	case *string:
		for i := range len(*v) {
			if !plainByte((*v)[i]) {
				return nil, false
			}
		}
		b := make([]byte, 0, len(*v)+2)
		return append(append(append(b, '"'), *v...), '"'), true
	case *int:
		return strconv.AppendInt(nil, int64(*v), 10), true
	}
	return nil, false
}

// fromPlainJSON does what json.Unmarshal would, or returns false and leaves v alone.
func fromPlainJSON(raw []byte, v any) bool {
	switch v := v.(type) {
	case *string:
		end := len(raw) - 1
		if end < 1 || raw[0] != '"' || raw[end] != '"' {
			return false
		}
		for _, c := range raw[1:end] {
			if !plainByte(c) {
				return false
			}
		}
		*v = string(raw[1:end])
		return true
	case *int:
		if digits := raw; len(digits) == 0 || len(digits) > 18 || digits[0] < '1' || digits[0] > '9' {
			return false // also what JSON would not take, such as +1 and 01
		}
		n, err := strconv.Atoi(string(raw))
		if err == nil {
			*v = n
		}
		return err == nil
	}
	return false
}

// plainByte reports whether JSON, and json.Marshal with its care for HTML, writes
// c as it is.
func plainByte(c byte) bool {
	return ' ' <= c && c <= '~' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
}
