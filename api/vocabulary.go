package api

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/pratique/pratique"
)

// A vocabulary is a type whose values are listed in the description under a name,
// so that generated clients know them.
type vocabulary struct {
	of    reflect.Type // the string type that has them
	word  reflect.Type // what stands for it in the description
	name  string
	words []any
}

// word describes a vocabulary by its reference; T only tells one from another.
type word[T any] string

// Schema is asked by huma.
func (word[T]) Schema(r huma.Registry) *huma.Schema {
	for _, v := range vocabularies() {
		if v.of == reflect.TypeFor[T]() {
			r.Map()[v.name] = &huma.Schema{Type: huma.TypeString, Enum: v.words}
			return &huma.Schema{Ref: schemaPrefix + v.name}
		}
	}
	panic("api: " + reflect.TypeFor[T]().String() + " has no vocabulary")
}

func words[T ~string](all ...T) vocabulary {
	v := vocabulary{of: reflect.TypeFor[T](), word: reflect.TypeFor[word[T]](), name: reflect.TypeFor[T]().Name()}
	for _, w := range all {
		v.words = append(v.words, string(w))
	}
	return v
}

// vocabularies lists all of them. A type that may be "" has it among its words.
func vocabularies() []vocabulary {
	return []vocabulary{
		words(pratique.Severities()...),
		words(pratique.StatusNotScanned, pratique.StatusScanning, pratique.StatusScanned, pratique.StatusCancelled, pratique.StatusFailed),
		words(pratique.RiskUnknown, pratique.RiskNone, pratique.RiskFound),
		words(categories[:]...),
		words(pratique.CoverageComplete, pratique.CoveragePartial, pratique.CoverageHashesOnly, pratique.CoverageUnknown, pratique.CoverageNotYet, pratique.CoverageSkipped, pratique.CoverageUnsupported),
		words(pratique.FixAvailable, pratique.FixNone, pratique.FixRefused, pratique.FixUnknown),
		words(pratique.LayerRead, pratique.LayerCached, pratique.LayerForeign, pratique.LayerEncrypted, pratique.LayerUnreadable, pratique.LayerNotRead),
		words(pratique.ChangeAppeared, pratique.ChangeChanged, pratique.ChangeFixed, pratique.ChangeSuppressed, pratique.ChangeReopened),
		words(pratique.CauseContent, pratique.CauseAdded, pratique.CauseChanged, pratique.CauseWithdrawn, pratique.CauseRules, pratique.CauseException),
		words(pratique.TaskManual, pratique.TaskSchedule, pratique.TaskWebhook, pratique.TaskRescan),
		words(pratique.SourceRegistry, pratique.SourceLocal, pratique.SourceAll, ""),
		words(pratique.EngineDocker, pratique.EngineContainerd, pratique.EnginePodman),
		words(pratique.ContainerCreated, pratique.ContainerRunning, pratique.ContainerPaused, pratique.ContainerRestarting, pratique.ContainerRemoving, pratique.ContainerExited, pratique.ContainerDead, pratique.ContainerUnknown),
		words(pratique.AgentHost, pratique.AgentSite),
		words(pratique.ScopeRecommended, pratique.ScopeAll, pratique.ScopeSpecified),
		words(TaskRunning, TaskSuccess, TaskPartial, TaskCancelled, TaskFailed),
		words(PhaseWaiting, PhaseRunning, PhaseEnded),
		words(MustFixExploited, MustFixLikely, MustFixCriticalFixable),
		words(AttentionMalware, AttentionExploited, AttentionHighPriority, AttentionLiveSecrets, AttentionFailedScans, AttentionRegistries,
			AttentionNoKnowledge, AttentionOldKnowledge, AttentionNoRegistries, AttentionRecommended, AttentionUnknownImages),
	}
}

const schemaPrefix = "#/components/schemas/"

// newSchemas is where the description's schemas are kept.
func newSchemas() huma.Registry {
	schemas := huma.NewMapRegistry(schemaPrefix, schemaName)
	for _, v := range vocabularies() {
		schemas.RegisterTypeAlias(v.of, v.word)
	}
	return schemas
}
