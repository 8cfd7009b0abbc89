package redistest

import (
	"bufio"
	"errors"
	"io"
	"strconv"
)

// readMessage reads one request or reply of the Redis protocol, RESP2, and
// returns its bytes.
func readMessage(r *bufio.Reader) ([]byte, error) {
	return appendMessage(nil, r)
}

func appendMessage(m []byte, r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadBytes('\n')
	m = append(m, line...)
	if err != nil {
		return m, err
	}
	if len(line) < 3 {
		return m, errors.New("redistest: not the Redis protocol")
	}
	switch line[0] {
	case '+', '-', ':':
		return m, nil
	case '$':
		n, err := strconv.Atoi(string(line[1 : len(line)-2]))
		if err != nil || n < 0 {
			return m, err
		}
		body := make([]byte, n+2)
		_, err = io.ReadFull(r, body)
		return append(m, body...), err
	case '*':
		n, err := strconv.Atoi(string(line[1 : len(line)-2]))
		for range n {
			if err == nil {
				m, err = appendMessage(m, r)
			}
		}
		return m, err
	}
	return m, errors.New("redistest: not the Redis protocol")
}
