// Package llmsidecar starts llm-sidecar, a process that gives apps language models, speaks with it, and sees it off.
//
// [Start] gives a [Sidecar]. Its methods are those of the protocol, by their namespaces: Providers.SetActive,
// Models.List, Chat.Complete. Chat.Stream gives a [ChatStream], which is ranged over. A [Conversation] keeps the
// messages of a chat. What fails, fails with an [*Error].
//
// The types follow the protocol. A union such as [Part] is an interface, whose arms are structs; they are decoded as
// values, not pointers. Of a later version of the protocol there may be arms that are not known here, which keep their
// JSON, and values of enumerations beyond the constants. A member that may be left out is left out where it is zero;
// where zero means something it is a pointer, for which there is [Ptr].
package llmsidecar
