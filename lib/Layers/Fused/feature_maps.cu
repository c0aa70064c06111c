// Passes over maps whose channels lie next to each other: [rows, pixels, channels]. A block of THREADS threads has a strip of a row's pixels;
// a thread has one pack of channels of every pixel that it comes to, and its neighbours the other packs of the same pixel.

const int THREADS = 256;

// Where a thread begins: its first pixel in the strip, its pack's first channel, and how many pixels a block has in hand.
struct Place
{
    int channel;
    int lanes;
    int64 first;
    int64 last;

    __device__ __forceinline__ Place(int64 channels, int64 pixels, int64 strip)
    {
        const int packs = (int)channels / PACK;
        channel = threadIdx.x % packs * PACK;
        lanes = THREADS / packs;
        first = blockIdx.x * strip + threadIdx.x / packs;
        last = min((blockIdx.x + 1) * strip, pixels);
    }
};

struct Sums
{
    const T* map;
    float* sums;      // [rows, strips, 2, channels]: of values, of squares
    int64 channels;
    int64 pixels;
    int64 strip;      // pixels
};

// Grid: strips, rows.
extern "C" __global__ void __launch_bounds__(THREADS) channel_sums(const Sums a)
{
    __shared__ float shared[2 * PACK][THREADS];
    const Place place(a.channels, a.pixels, a.strip);
    const T* map = a.map + blockIdx.y * a.pixels * a.channels + place.channel;
    float sums[2 * PACK] = {};
#pragma unroll 4
    for (int64 pixel = place.first; pixel < place.last; pixel += place.lanes)
    {
        float x[PACK];
        load8(map + pixel * a.channels, x);
#pragma unroll
        for (int i = 0; i < PACK; i++)
        {
            sums[i] += x[i];
            sums[PACK + i] += x[i] * x[i];
        }
    }
#pragma unroll
    for (int i = 0; i < 2 * PACK; i++)
        shared[i][threadIdx.x] = sums[i];
    __syncthreads();
    const int channels = (int)a.channels, packs = channels / PACK;
    float* to = a.sums + (blockIdx.y * (int64)gridDim.x + blockIdx.x) * 2 * channels;
    for (int k = threadIdx.x; k < 2 * channels; k += THREADS)
    {
        const int i = k / packs, pack = k % packs; // neighbours read neighbours
        float sum = 0;
        for (int lane = 0; lane < place.lanes; lane++)
            sum += shared[i][lane * packs + pack];
        to[i / PACK * channels + pack * PACK + i % PACK] = sum;
    }
}

struct Moments
{
    const float* sums;
    const T* added;    // what every value of a channel lacks, [channels], or null
    float* moments;    // [rows, groups, 2]: mean, reciprocal deviation
    int64 channels;
    int64 groups;
    int64 pixels;
    int64 strips;
    double epsilon;
};

// Grid: groups, rows. In double, so that the mean's square can be taken from the mean of squares.
extern "C" __global__ void __launch_bounds__(THREADS) group_moments(const Moments a)
{
    __shared__ double shared[2][THREADS];
    const int width = (int)(a.channels / a.groups);
    const int channel = blockIdx.x * width + threadIdx.x % width;
    double added = 0, sum = 0, squares = 0;
    if (a.added)
    {
        float pack[PACK];
        load8(a.added + channel / PACK * PACK, pack);
        for (int i = 0; i < PACK; i++)
            if (i == channel % PACK)
                added = pack[i];
    }
    // A strip's part of the pixels; only the sum over all strips counts, so that it need not be a whole number.
    const double share = a.pixels * added / a.strips;
    for (int64 strip = threadIdx.x / width; strip < a.strips; strip += THREADS / width)
    {
        const float* from = a.sums + (blockIdx.y * a.strips + strip) * 2 * a.channels + channel;
        sum += from[0] + share;
        squares += from[a.channels] + added * (2.0 * from[0] + share);
    }
    shared[0][threadIdx.x] = sum;
    shared[1][threadIdx.x] = squares;
    for (int half = THREADS / 2; half > 0; half /= 2)
    {
        __syncthreads();
        if (threadIdx.x < half)
        {
            shared[0][threadIdx.x] += shared[0][threadIdx.x + half];
            shared[1][threadIdx.x] += shared[1][threadIdx.x + half];
        }
    }
    if (threadIdx.x > 0)
        return;
    const double count = (double)a.pixels * width, mean = shared[0][0] / count, variance = shared[1][0] / count - mean * mean;
    float* to = a.moments + 2 * (blockIdx.y * a.groups + blockIdx.x);
    to[0] = (float)mean;
    to[1] = (float)(1 / sqrt((variance > 0 ? variance : 0) + a.epsilon));
}

struct Normalize
{
    const T* map;
    T* output;         // may be the map
    const float* moments;
    const T* weight;   // [channels]
    const T* bias;     // [channels]
    const T* added;    // [channels], or null
    int64 channels;
    int64 groups;
    int64 pixels;
    int64 strip;
    int64 activate;    // 1: SiLU of the result
};

// Grid: strips, rows.
extern "C" __global__ void __launch_bounds__(THREADS) normalize(const Normalize a)
{
    const Place place(a.channels, a.pixels, a.strip);
    const int width = (int)(a.channels / a.groups);
    float scale[PACK], shift[PACK], added[PACK] = {};
    load8(a.weight + place.channel, scale);
    load8(a.bias + place.channel, shift);
    if (a.added)
        load8(a.added + place.channel, added);
#pragma unroll
    for (int i = 0; i < PACK; i++)
    {
        const float* moments = a.moments + 2 * (blockIdx.y * a.groups + (place.channel + i) / width);
        scale[i] *= moments[1];
        shift[i] += (added[i] - moments[0]) * scale[i];
    }
    const int64 row = blockIdx.y * a.pixels * a.channels + place.channel;
    const bool activate = a.activate != 0;
    for (int64 pixel = place.first; pixel < place.last; pixel += place.lanes)
    {
        float x[PACK];
        load8(a.map + row + pixel * a.channels, x);
#pragma unroll
        for (int i = 0; i < PACK; i++)
        {
            x[i] = x[i] * scale[i] + shift[i];
            if (activate)
                x[i] = __fdividef(x[i], 1 + __expf(-x[i]));
        }
        store8(a.output + row + pixel * a.channels, x);
    }
}

struct Join
{
    T* map;              // what it is added to
    const T* residual;
    const T* added[2];   // [channels] each, or null
    int64 channels;
    int64 pixels;        // of all rows
    int64 strip;
};

// Grid: strips.
extern "C" __global__ void __launch_bounds__(THREADS) join(const Join a)
{
    const Place place(a.channels, a.pixels, a.strip);
    float added[PACK] = {};
    for (int k = 0; k < 2; k++)
    {
        float more[PACK] = {};
        if (a.added[k])
            load8(a.added[k] + place.channel, more);
#pragma unroll
        for (int i = 0; i < PACK; i++)
            added[i] += more[i];
    }
    for (int64 pixel = place.first; pixel < place.last; pixel += place.lanes)
    {
        const int64 at = pixel * a.channels + place.channel;
        float x[PACK], y[PACK];
        load8(a.map + at, x);
        load8(a.residual + at, y);
#pragma unroll
        for (int i = 0; i < PACK; i++)
            x[i] += y[i] + added[i];
        store8(a.map + at, x);
    }
}

struct Enlarge
{
    const T* map;       // [rows · height, width, channels]
    T* output;          // [rows · height, 2, width, 2, channels]
    int64 channels;
    int64 width;
    int64 pixels;       // of the map, all rows
    int64 strip;
};

// Every pixel four times. Grid: strips.
extern "C" __global__ void __launch_bounds__(THREADS) enlarge(const Enlarge a)
{
    const Place place(a.channels, a.pixels, a.strip);
    const int64 line = 2 * a.width * a.channels;
    for (int64 pixel = place.first; pixel < place.last; pixel += place.lanes)
    {
        float x[PACK];
        load8(a.map + pixel * a.channels + place.channel, x);
        T* to = a.output + pixel / a.width * 2 * line + pixel % a.width * 2 * a.channels + place.channel;
        store8(to, x);
        store8(to + a.channels, x);
        store8(to + line, x);
        store8(to + line + a.channels, x);
    }
}
