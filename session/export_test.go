package session

// Reencode decodes a record and encodes it again.
func Reencode(b []byte) ([]byte, error) {
	r, err := decodeRecord(b)
	if err != nil {
		return nil, err
	}
	return r.encode(), nil
}

// FormatVersion is the first byte of a record.
const FormatVersion = formatVersion

// The shortcuts around encoding/json.
var (
	PlainJSON     = plainJSON
	FromPlainJSON = fromPlainJSON
)

// ProbeID is what a probe looks for.
var ProbeID = probeID
