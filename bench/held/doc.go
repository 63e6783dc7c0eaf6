// Package held measures what a gateway bears besides many ordinary calls:
// connections that do nothing, that say little, bodies that are large or that
// nobody takes, and hours of everything at once.
//
// Control plane and gateway are processes of their own with their defaults, as
// an installation has them; callers and backend are in the measuring process.
package held
