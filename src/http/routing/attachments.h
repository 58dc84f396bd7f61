// SPDX-License-Identifier: Apache-2.0
// Objects that other components attach to a request, one per type: http/ does not know these types. They are
// found by the address of a variable that each type has, so that neither RTTI nor an allocation is needed.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <utility>

#include "base/assert.h"

namespace integreat::http {

class Attachments {
public:
    static constexpr std::size_t max_count = 4;  // Types per request.

    // Attaches an object instead of the one of the same type; null detaches that. The owner detaches the
    // object before its destruction, unless it outlives the request.
    template <class T>
    void set(T* object) {
        for (auto& slot : slots_) {
            if (slot.type && slot.type != &type_of<T>) continue;
            slot = {&type_of<T>, object};
            return;
        }
        ASSERT(false);  // Too many types.
    }

    // Attaches an object and shares its ownership until `clear`. A request keeps objects of one type only.
    template <class T>
    void keep(std::shared_ptr<T> object) {
        ASSERT(!kept_ || kept_.get() == find<T>());
        set(object.get());
        kept_ = std::move(object);
    }

    // Returns the attached object of this type, constness included; null if there is none.
    template <class T>
    T* find() const {
        for (const auto& slot : slots_) {
            if (slot.type == &type_of<T>) return static_cast<T*>(const_cast<void*>(slot.object));
        }
        return nullptr;
    }

    void clear() {
        slots_ = {};
        kept_.reset();
    }

private:
    template <class T>
    static inline char type_of = 0;  // Not const, so that no linker merges those of two types.

    struct Slot {
        const char* type = nullptr;
        const void* object = nullptr;
    };
    std::array<Slot, max_count> slots_;
    std::shared_ptr<const void> kept_;
};

}  // namespace integreat::http
