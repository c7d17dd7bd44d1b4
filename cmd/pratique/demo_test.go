package main

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pratique/pratique"
)

// Within seconds there is something to see, and afterwards nothing is left.
func TestDemo(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	demo := started(t, false, "demo", "--listen", "127.0.0.1:0")
	var session struct{ Demo bool }
	if code := demo.ask(http.MethodPost, "/api/v1/session", []byte(`{"name":"admin","password":"`+demoPassword+`"}`), &session); code != http.StatusOK || !session.Demo {
		t.Fatalf("sign-in: %d, marked as a demonstration: %t", code, session.Demo)
	}
	var registries struct {
		Items []struct{ Repositories, Images, AtRisk int }
	}
	for until := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		demo.ask(http.MethodGet, "/api/v1/registries", nil, &registries)
		if len(registries.Items) == 1 && registries.Items[0].AtRisk >= 14 {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("%+v\n%s", registries, demo.log)
		}
	}
	if r := registries.Items[0]; r.Repositories < 12 || r.Images <= r.Repositories {
		t.Errorf("%+v", r)
	}
	demo.stop()
	if err := <-demo.ended; err != nil {
		t.Error(err)
	}
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Its password is known, so nobody else may reach it.
func TestDemoIsForItsMachine(t *testing.T) {
	for _, listen := range []string{"0.0.0.0:0", "[::]:0", "example.test:80", ":8080"} {
		cmd := newDemoCommand()
		cmd.SetArgs([]string{"--listen", listen})
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		if err := cmd.ExecuteContext(t.Context()); pratique.CodeOf(err) != pratique.CodeInvalid {
			t.Errorf("%s: %v", listen, err)
		}
	}
}
