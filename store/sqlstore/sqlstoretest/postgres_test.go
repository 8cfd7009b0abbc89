package sqlstoretest_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// The PostgreSQL server that all tests of the binary share: a cluster of its own, which
// listens on a socket in its directory and nowhere else.

const startTimeout = 60 * time.Second

type postgres struct {
	dir string
	pid int
}

var shared = sync.OnceValues(startPostgres)

// openPostgres returns a pool for the shared server, in the same database for all, whose
// connections have the given settings. Where PostgreSQL isn't installed the test is
// skipped, or fails if the environment has CI=true.
func openPostgres(t testing.TB, settings ...string) *sql.DB {
	t.Helper()
	server, err := shared()
	switch {
	case err == nil:
	case !errors.Is(err, exec.ErrNotFound):
		t.Fatalf("PostgreSQL: %v", err)
	case os.Getenv("CI") == "true":
		t.Fatal("PostgreSQL is not installed, and CI=true allows no skipping; install it with: apt-get install postgresql")
	default:
		t.Skip("PostgreSQL is not installed; install it with: apt-get install postgresql")
	}
	db, err := sql.Open("pgx", strings.Join(append(settings, server.dsn()), " "))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	t.Cleanup(func() { db.Close() })
	return db
}

func (p postgres) dsn() string {
	return fmt.Sprintf("host=%s port=5432 user=satchel dbname=postgres", p.dir)
}

// program finds PostgreSQL's programs also where Debian puts them, in a directory for
// each version that is on no PATH.
func program(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return filepath.EvalSymlinks(path)
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) == 0 {
		return "", exec.ErrNotFound
	}
	slices.Sort(found)
	return found[len(found)-1], nil
}

func startPostgres() (postgres, error) {
	var p postgres
	initdb, err := program("initdb")
	if err != nil {
		return p, err
	}
	server, err := program("postgres")
	if err != nil {
		return p, err
	}
	// A short name: a socket's path has to be.
	if p.dir, err = os.MkdirTemp("", "pg"); err != nil {
		return p, err
	}
	attributes, err := unprivileged(p.dir)
	if err != nil {
		return p, err
	}
	data := filepath.Join(p.dir, "data")
	create := exec.Command(initdb, "-D", data, "-U", "satchel", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
	create.SysProcAttr, create.Dir = attributes, p.dir
	if output, err := create.CombinedOutput(); err != nil {
		return p, fmt.Errorf("initdb: %w\n%s", err, output)
	}
	log, err := os.Create(filepath.Join(p.dir, "log"))
	if err != nil {
		return p, err
	}
	run := exec.Command(server, "-D", data, "-k", p.dir,
		"-c", "listen_addresses=", "-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "max_connections=60")
	run.SysProcAttr, run.Dir, run.Stdout, run.Stderr = attributes, p.dir, log, log
	if err := run.Start(); err != nil {
		return p, err
	}
	p.pid = run.Process.Pid
	if err := guard(p.pid, p.dir); err != nil {
		run.Process.Kill()
		return p, err
	}
	exited := make(chan error, 1)
	go func() { exited <- run.Wait() }()
	return p, p.wait(exited)
}

// wait returns when the server answers, or has ended.
func (p postgres) wait(exited <-chan error) error {
	db, err := sql.Open("pgx", p.dsn())
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		if err = db.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-exited:
			log, _ := os.ReadFile(filepath.Join(p.dir, "log"))
			return fmt.Errorf("the server has ended:\n%s", log)
		case <-ctx.Done():
			return fmt.Errorf("the server is not ready: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// unprivileged makes dir the user's whom the server is to run as: PostgreSQL refuses to
// be root.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			return nil, err
		}
		return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
	}
	return nil, errors.New("as root, the tests need a user postgres or nobody to run the server")
}

var guardPipe io.Closer // closed by the kernel, when this process ends in whatever way

// guard ends the server and removes its directory when this process has ended. SIGQUIT
// is how PostgreSQL is told to end at once, with all its processes, for which it takes a
// moment.
func guard(pid int, dir string) error {
	const script = `read -r _; kill -QUIT "$1"
for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$1" 2>/dev/null || break; sleep 1; done
rm -rf "$2"`
	watch := exec.Command("/bin/sh", "-c", script, "guard", strconv.Itoa(pid), dir)
	pipe, err := watch.StdinPipe()
	if err != nil {
		return err
	}
	guardPipe = pipe
	return watch.Start()
}
