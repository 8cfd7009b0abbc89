package redisstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/gomodule/redigo/redis"

	"github.com/gosatchel/satchel/store"
)

// refusals are the error replies after which nothing was written, with what they
// mean here. The server's own words are not passed on: some quote arguments.
//
// Replies that are missing here, above all the catch-all ERR, leave the outcome
// open. A proxy also sends them for a server that didn't answer in time.
var refusals = map[string]string{
	"BUSY":        "a script keeps the server busy",
	"CLUSTERDOWN": "the cluster is down",
	"CROSSSLOT":   "the server is part of a cluster",
	"DENIED":      "the server runs in protected mode: it wants a password, or a connection from its own host",
	"LOADING":     "the server is still loading its data",
	"MASTERDOWN":  "the server is a replica that lost its master",
	"MISCONF":     "the server can't save to disk and takes no writes",
	"MOVED":       "the server is part of a cluster",
	"NOAUTH":      "the server wants a password",
	"NOPERM":      lacksPermission,
	"NOREPLICAS":  "the server has too few replicas to take writes",
	"OOM":         "the server is out of memory",
	"READONLY":    "the server is a replica, which takes no writes",
	"WRONGPASS":   "the server refused the user name or the password",
	"WRONGTYPE":   "the key holds something else than a record",
}

const lacksPermission = "the server's user lacks a permission; docs/redis.md has a rule that is enough"

var (
	errDamaged = fmt.Errorf("the key holds something else than a record: %w", store.ErrDamaged)
	errReply   = errors.New("the server sent a reply that makes no sense")

	// errLostTrack stands for the outcome of a first attempt that the second one
	// could not tell.
	errLostTrack = errors.New("the connection broke, and whether anything was written is unknown")
)

// readFailed wraps an error for the caller of a method that only reads.
func (s *Store) readFailed(op string, err error) error {
	if s.address == "" {
		return fmt.Errorf("redisstore: %s: %w", op, presentable(err))
	}
	return fmt.Errorf("redisstore: %s at %s: %w", op, s.address, presentable(err))
}

// writeFailed wraps an error for the caller of a method that writes. It adds
// store.ErrNotApplied where that is certain, which it never is after an earlier
// attempt broke.
func (s *Store) writeFailed(op string, o outcome) error {
	err := s.readFailed(op, o.err)
	if !o.repeated && (unsent(o.err) || !s.resends && refused(o.err)) {
		return fmt.Errorf("%w: %w", err, store.ErrNotApplied)
	}
	if s.wanted > 0 && (op == "swap" || op == "index") && !errors.Is(err, store.ErrUnconfirmed) {
		// Whoever looks may find the write, and not how safe it is.
		return fmt.Errorf("%w: %w", err, store.ErrUnconfirmed)
	}
	return err
}

func refused(err error) bool {
	return err == errDamaged || refusals[replyCode(err)] != "" && !aclInScript(err)
}

// aclInScript reports whether a command within a script lacked a permission: what the
// script did before is done. Servers word that in several ways.
func aclInScript(err error) bool {
	reply, _ := err.(redis.Error)
	_, text := splitReply(reply)
	return strings.HasPrefix(text, "ACL failure in script") || strings.HasPrefix(text, "The user executing the script can't run")
}

// presentable returns an error that says what err does, but nothing that came
// from a caller or may be a secret.
func presentable(err error) error {
	var reply redis.Error
	var broken *url.Error
	var timeout net.Error
	var credentials *credentialsError
	switch {
	case errors.As(err, &credentials):
		return err
	case errors.As(err, &reply):
		return presentableReply(reply)
	case errors.As(err, &broken), strings.HasPrefix(err.Error(), "invalid redis URL"):
		// An app's own Dial may parse a URL. Such errors quote it.
		return errors.New("the URL to connect to is invalid")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%w (%w)", context.DeadlineExceeded, err)
	}
	return err
}

func presentableReply(reply redis.Error) error {
	code, text := splitReply(reply)
	if code == "WRONGTYPE" {
		return fmt.Errorf("%s: %w", code, errDamaged)
	}
	if meaning := refusals[code]; meaning != "" {
		return fmt.Errorf("%s: %s", code, meaning)
	}
	if code == "" {
		return errors.New("the server answered with an error")
	}
	if aclInScript(reply) {
		return fmt.Errorf("%s: %s", code, lacksPermission)
	}
	// Where a reply quotes, it quotes what it was sent.
	if i := strings.IndexAny(text, "'\"`:"); i >= 0 {
		text = text[:i]
	}
	return fmt.Errorf("the server answered: %s %s", code, shortened(strings.TrimSpace(text)))
}

// shortened returns a text that fits into a line of a log.
func shortened(text string) string {
	const enough = 80
	if len(text) <= enough {
		return text
	}
	return text[:enough] + "..."
}

// flattened returns a presentable error in the place of one of which a package has
// left nothing but the text.
func flattened(text string) error {
	if code, rest := splitReply(redis.Error(text)); code != "" && rest != "" { // and not EOF
		return presentableReply(redis.Error(text))
	}
	return errors.New(text)
}

var (
	replyCodePattern = regexp.MustCompile(`^[A-Z]{2,20}$`)

	// Before Redis 7, what a command in a script has met comes behind these.
	inScriptPattern = regexp.MustCompile(`^ERR Error running script .*@user_script: ?\d+: -?`)
)

// splitReply returns the code that an error reply begins with, if there is one,
// and the text behind it.
func splitReply(reply redis.Error) (code, text string) {
	if wrapper := inScriptPattern.FindString(string(reply)); wrapper != "" {
		reply = reply[len(wrapper):]
		if code, _, _ := strings.Cut(string(reply), " "); !replyCodePattern.MatchString(code) {
			return "ERR", string(reply)
		}
	}
	code, text, _ = strings.Cut(string(reply), " ")
	if !replyCodePattern.MatchString(code) {
		return "", string(reply)
	}
	return code, text
}
