package source

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
	"github.com/pratique/pratique/registry/distribution"
)

// Remote opens images of registries that somebody described, by digest. It keeps
// a client for each connection, so that images of one registry share connections
// and tokens. The zero value is ready; it is safe for concurrent use.
type Remote struct {
	mu      sync.Mutex
	clients map[string]kept
}

type kept struct {
	client *distribution.Client
	made   time.Time
}

// clientLife is how long a client is used: it remembers every token that it was
// given, to keep them out of errors.
const clientLife = time.Hour

// Open opens the image that a manifest describes. Layers are fetched when they
// are read. The error's remedy is for those who look after the connection.
func (r *Remote) Open(ctx context.Context, conn registry.Connection, repository string, digest pratique.Digest) (*Opened, error) {
	client, err := r.client(conn)
	if err != nil {
		return nil, err
	}
	o := &Opened{Image: pratique.Image{Kind: pratique.KindImage}}
	if _, host, err := conn.Endpoint(); err == nil {
		o.Image.Name = host + "/" + repository + "@" + string(digest)
	}
	if err := o.openManifest(ctx, client, repository, string(digest), pratique.Platform{}); err != nil {
		return nil, registry.Explain(err)
	}
	return o, nil
}

// Inspect tells what a manifest describes, without its layers.
func (r *Remote) Inspect(ctx context.Context, conn registry.Connection, repository string, digest pratique.Digest) (registry.Artifact, error) {
	client, err := r.client(conn)
	if err != nil {
		return registry.Artifact{}, err
	}
	a, err := client.Inspect(ctx, repository, digest)
	return a, registry.Explain(err)
}

func (r *Remote) client(conn registry.Connection) (*distribution.Client, error) {
	key := fmt.Sprintf("%q", []string{conn.Address, conn.Username, conn.Password, conn.CA, conn.Proxy, fmt.Sprint(conn.Insecure)})
	r.mu.Lock()
	defer r.mu.Unlock()
	if k, ok := r.clients[key]; ok && time.Since(k.made) < clientLife {
		return k.client, nil
	}
	client, err := distribution.Connect(conn)
	if err != nil {
		return nil, err
	}
	if r.clients == nil {
		r.clients = map[string]kept{}
	}
	for key, k := range r.clients { // those who still read through one go on
		if time.Since(k.made) >= clientLife {
			k.client.Close()
			delete(r.clients, key)
		}
	}
	r.clients[key] = kept{client, time.Now()}
	return client, nil
}
