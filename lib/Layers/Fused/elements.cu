// What all kernels share: the element type T, and packs of eight elements, which lie at multiples of 16 bytes.
// ELEMENT: 0 float32, 1 float16, 2 bfloat16. Arithmetic is in float32, and results are rounded once.

typedef long long int64;
const int WARP = 32;
const int PACK = 8;

#if ELEMENT == 0
typedef float T;
__device__ __forceinline__ float to_float(T x) { return x; }
__device__ __forceinline__ T from_float(float x) { return x; }
#else
typedef unsigned short T;
#if ELEMENT == 1
__device__ __forceinline__ float to_float(T x) { float y; asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x)); return y; }
__device__ __forceinline__ T from_float(float x) { T y; asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y) : "f"(x)); return y; }
#else
__device__ __forceinline__ float to_float(T x) { return __uint_as_float((unsigned)x << 16); }
__device__ __forceinline__ T from_float(float x) { T y; asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(y) : "f"(x)); return y; }
#endif
#endif

// As many 16 bytes as a pack takes.
struct Pack { uint4 part[PACK * sizeof(T) / 16]; };

__device__ __forceinline__ void load8(const T* from, float* to)
{
    Pack pack = *(const Pack*)from;
    const T* elements = (const T*)&pack;
#pragma unroll
    for (int i = 0; i < PACK; i++)
        to[i] = to_float(elements[i]);
}

__device__ __forceinline__ void store8(T* to, const float* from)
{
    Pack pack;
    T* elements = (T*)&pack;
#pragma unroll
    for (int i = 0; i < PACK; i++)
        elements[i] = from_float(from[i]);
    *(Pack*)to = pack;
}

// The sum over LANES neighbouring threads of a warp, a power of two; every one of them receives it.
template <int LANES>
__device__ __forceinline__ float sum_over(float x)
{
#pragma unroll
    for (int step = LANES / 2; step > 0; step /= 2)
        x += __shfl_xor_sync(0xffffffffu, x, step);
    return x;
}
