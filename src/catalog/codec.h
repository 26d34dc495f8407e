// SPDX-License-Identifier: Apache-2.0
//
// Catalog objects as bytes, for their rows and for deep copies. A format byte leads; integers are
// little-endian. Any thread.
#ifndef DBASPOT_CATALOG_CODEC_H
#define DBASPOT_CATALOG_CODEC_H

#include "catalog/object.h"

void catalog_encode(StrBuf *out, const Object *object);
/* Everything lies in `scope`. E_DATA_CORRUPTED if the bytes are not an object. */
Status catalog_decode(Ctx *ctx, Scope *scope, Str bytes, Object **out);

#endif
