package scan

import (
	"context"

	"github.com/pratique/pratique"
	"github.com/pratique/pratique/registry"
)

// Remote reads images in registries.
type Remote interface {
	// Open opens an image by the digest of its manifest. No layer is read.
	Open(ctx context.Context, conn registry.Connection, repository string, digest pratique.Digest) (Opened, error)
	Inspector
}

// Inspector reads manifests in registries.
type Inspector interface {
	// Inspect tells what a manifest describes.
	Inspect(ctx context.Context, conn registry.Connection, repository string, digest pratique.Digest) (registry.Artifact, error)
}

// Opened is an image whose layers can be read until Close.
type Opened struct {
	Image    pratique.Image
	Problems []pratique.Problem
	Source   Source
	Close    func() error
}

// RegistryStore knows how registries are reached.
type RegistryStore interface {
	Registry(ctx context.Context, id int64) (pratique.Registry, error)
	// RegistryPassword is for those who connect; nobody may show it.
	RegistryPassword(ctx context.Context, id int64) (string, error)
	SetHealth(ctx context.Context, id int64, h pratique.Health) error
}

// Connection is a registry as its connector, or a client, wants it.
func Connection(r pratique.Registry, password string) registry.Connection {
	return registry.Connection{
		Name: r.Name, Kind: r.Kind, Version: registry.Version(r.Version), NetworkType: registry.NetworkType(r.Network), Region: r.Region, Site: r.Site,
		Address: r.Address, Username: r.Username, Password: password, Insecure: r.Insecure, CA: r.CA, Proxy: r.Proxy, HourlyLimit: r.HourlyLimit,
		Namespaces: r.Namespaces, Repositories: r.Named,
	}
}

// connect reads a registry with what is needed to talk to it.
func connect(ctx context.Context, store RegistryStore, id int64) (r pratique.Registry, conn registry.Connection, err error) {
	if r, err = store.Registry(ctx, id); err != nil {
		return r, conn, err
	}
	if r.Site != "" {
		return r, conn, pratique.Errorf(pratique.CodeUnsupported, "the registry %s is read by the agent of the site %q, not from here", r.Name, r.Site).
			WithRemedy("start that site's agent, or clear the site")
	}
	password, err := store.RegistryPassword(ctx, id)
	return r, Connection(r, password), err
}
